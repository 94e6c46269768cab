/** Where a component's tasks live: the embedded engine on a store, or a Temporal server. */
import type { Client } from '@temporalio/client';
import type { TaskWorkerOptions } from '../tasks/task-worker-options.ts';
import type { TaskWorker } from '../tasks/task-worker.ts';
import type { ConcurrencyOptions, ResolvedOptions, ServerOptions } from './component-options.ts';
import type { Logger } from '../service/logger.ts';

/** What a worker runs. */
export type Work = Pick<
  TaskWorkerOptions,
  'tasks' | 'activities' | 'taskQueue' | 'buildId' | 'stepsApart'
> & {
  readonly concurrency?: ConcurrencyOptions;
};

export interface StartOptions extends Pick<
  ResolvedOptions,
  'namespace' | 'searchAttributes' | 'dataConverter'
> {
  readonly logger: Logger;
  /** Undefined: this process submits and reads, unless it `addsWorkers`. */
  readonly work: Work | undefined;
  /** Workers are added later. */
  readonly addsWorkers?: boolean;
}

export interface Backend {
  /** For the line at start: `the embedded engine, SQLite file …`. */
  readonly description: string;
  /** Why nothing can be done there any more. */
  readonly failure: unknown;
  start(options: StartOptions): Promise<Attached>;
}

/** A component's share in its backend, from start() to stop(). */
export interface Attached {
  readonly client: Client;
  readonly worker: TaskWorker | undefined;
  /** One worker more, started. Whoever adds it drains it; what it still runs at the end is stopped with the rest. */
  addWorker(work: Work): Promise<TaskWorker>;
  /** Where official workers find it: the server, or a gateway of this process that is opened when it is first asked for. */
  serverOptions(): Promise<ServerOptions>;
  /** Drains the worker, calls `drained`, and lets go of the backend. */
  stop(graceMs: number, drained: () => void): Promise<void>;
}
