/** Where a component's tasks live: the embedded engine on a store, or a Temporal server. */
import type { Client } from '@temporalio/client';
import type { TaskWorker, TaskWorkerOptions } from '../tasks/task-worker.ts';
import type { ConcurrencyOptions, ResolvedOptions } from './component-options.ts';
import type { Logger } from '../service/logger.ts';

/** What a process runs. */
type Work = Pick<TaskWorkerOptions, 'tasks' | 'activities' | 'taskQueue'> & {
  readonly concurrency?: ConcurrencyOptions;
};

export interface StartOptions extends Pick<
  ResolvedOptions,
  'namespace' | 'searchAttributes' | 'dataConverter'
> {
  readonly logger: Logger;
  /** Undefined: this process submits and reads. */
  readonly work: Work | undefined;
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
  /** Drains the worker, calls `drained`, and lets go of the backend. */
  stop(graceMs: number, drained: () => void): Promise<void>;
}
