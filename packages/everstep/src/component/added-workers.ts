/** The workers that were added to a backend, which end with it. */
import type { TaskWorker } from '../tasks/task-worker.ts';

export class AddedWorkers {
  readonly #workers = new Set<TaskWorker>();

  add(worker: TaskWorker): TaskWorker {
    for (const other of this.#workers) {
      if (other.draining && other.running === 0) this.#workers.delete(other);
    }
    this.#workers.add(worker);
    return worker;
  }

  /** All of them are drained before the first hands back what it still runs: that ends the attempts of every one. */
  async stop(graceMs: number): Promise<void> {
    const workers = [...this.#workers];
    await Promise.all(workers.map((worker) => worker.drain(graceMs)));
    for (const worker of workers) await worker.stop(0);
  }
}
