/** Tells of workers that have come into another state, by what their manager says of them from time to time. */
import type { WorkerStatus } from '../integrations/held-worker.ts';

export class StatusChanges {
  readonly #tell: (worker: WorkerStatus) => void;
  /** Of each worker what was told last. */
  readonly #told = new Map<string, string>();

  constructor(tell: (worker: WorkerStatus) => void) {
    this.#tell = tell;
  }

  /** One that runs as before but was started again meanwhile is told as well. */
  look(workers: readonly WorkerStatus[]): void {
    for (const worker of workers) {
      const { name, kind, taskQueue, state, restarts } = worker;
      if (state === 'created') continue;
      const key = JSON.stringify([name, kind, taskQueue]);
      const now = `${state} ${restarts}`;
      if (this.#told.get(key) === now) continue;
      this.#told.set(key, now);
      this.#tell(worker);
    }
  }
}
