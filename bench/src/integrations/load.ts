/** Keeps so many tasks of one type under way, and counts those that end. */
import type { Client } from '@temporalio/client';

export class Load {
  done = 0;
  #over = false;
  readonly #lanes: Promise<void>[];

  constructor(client: Client, taskName: string, lanes: number) {
    const lane = async (index: number): Promise<void> => {
      for (let number = 0; !this.#over; number += 1) {
        const handle = await client.workflow.start(`asyncTask_${taskName}`, {
          taskQueue: 'async-tasks',
          workflowId: `${taskName}/${index}/${number}/${process.hrtime.bigint()}`,
          args: [number],
        });
        const result: unknown = await handle.result();
        if (result !== number) throw new Error(`${taskName} gave ${String(result)}, not ${number}`);
        this.done += 1;
      }
    };
    this.#lanes = Array.from({ length: lanes }, (_, index) => lane(index));
    for (const running of this.#lanes) running.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#lanes);
  }
}
