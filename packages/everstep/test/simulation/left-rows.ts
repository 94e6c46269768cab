/** Rows of task queues that nobody takes although somebody could (12). */
import type { MemoryData } from '../../src/store/memory/memory-data.ts';

/** Longer than any step of a world runs, which may keep the only slot of a worker. */
export const leftMs = 16_000;

export class LeftRows {
  readonly #data: MemoryData;
  /** By queue: what was in it at the last look, and since when that has not changed. */
  #seen = new Map<string, { readonly rows: string; readonly since: number }>();

  constructor(data: MemoryData) {
    this.#data = data;
  }

  /** A queue of which nothing was taken for a while, though a row in it is free. */
  look(elapsed: number): string | undefined {
    const seen = new Map<string, { readonly rows: string; readonly since: number }>();
    let left: string | undefined;
    const polled = new Set([...this.#data.processes.values()].flatMap(({ queues }) => queues));
    for (const [name, { taskIds, namespaceId, kind, taskQueue }] of this.#data.queues) {
      if (!polled.has(`${namespaceId}/${kind}/${taskQueue}`)) continue;
      // A row of a sticky queue has a deadline, after which its run is found on the normal queue (WT-29).
      const free = [...taskIds].filter((id) => {
        const task = this.#data.tasks.get(id);
        return task?.claimedBy === '' && task.row.normalTaskQueue === '';
      });
      if (free.length === 0) continue;
      const rows = [...taskIds].join(' ');
      const before = this.#seen.get(name);
      const since = before?.rows === rows ? before.since : elapsed;
      seen.set(name, { rows, since });
      if (elapsed - since >= leftMs) left ??= `row ${free[0]} of the ${kind} queue ${taskQueue}`;
    }
    this.#seen = seen;
    return left;
  }
}
