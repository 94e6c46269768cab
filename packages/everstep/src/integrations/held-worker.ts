/** A worker that runs, whatever it is: an official one, one of our runtime, or a process with several. */
import type { WorkerState } from './worker-state.ts';

export interface HeldWorker {
  /** Resolves when nothing of it runs any more; rejects with the reason when it ended unasked. */
  readonly ended: Promise<void>;
  /** Queues from which it takes work just now, each once for workflow tasks and once for steps. */
  readonly polls: number;
  /** Workflow tasks and steps that run just now. */
  readonly running: number;
  /** Of a process: the workers in it, as it said last. */
  readonly workers?: readonly WorkerStatus[];
  /** Takes no more work; resolves when what ran has ended, or the grace period is over. */
  stop(): Promise<void>;
}

/** One worker, as `WorkerManager.status()` tells it. */
export interface WorkerStatus {
  /** The integration or domain. */
  readonly name: string;
  /** `workflows`: the official worker. `tasks`: the task runtime. Of a process that has said nothing yet, `process`. */
  readonly kind: 'workflows' | 'tasks' | 'process';
  readonly taskQueue: string;
  readonly state: WorkerState;
  /** When it came into that state, in epoch ms. */
  readonly since: number;
  /** Queues from which it takes work just now, each once for workflow tasks and once for activities or steps. */
  readonly polls: number;
  /** Workflow tasks and activities or steps that run just now. */
  readonly running: number;
  /** What ended it last, or kept it from starting. */
  readonly lastError?: string;
  /** How often it was started again by itself. */
  readonly restarts: number;
  /** Of the process it runs in. */
  readonly pid: number;
}
