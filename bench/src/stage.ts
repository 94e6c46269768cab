/** Where a work plays: a client and a worker on one store, in this process or the worker in its own. */
import type { BenchTasks } from './tasks.ts';

export interface Stage {
  /** For submitting and reading. */
  readonly tasks: BenchTasks;
  /** Starts the client's component, and a worker when told so. */
  open(options: { readonly worker: boolean }): Promise<void>;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
  /** How many tasks the store counts as completed. */
  completed(): Promise<number>;
  /** CPU time of all its processes so far. */
  cpuMs(): Promise<number>;
  /** Questions of its processes to the database so far, where there are such. */
  queries?(): Promise<number>;
  close(): Promise<void>;
}
