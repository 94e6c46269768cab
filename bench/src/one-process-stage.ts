/** Client and worker in this process. */
import type { AsyncTaskComponent, Store } from 'everstep';
import { completedTasks, startComponent } from './component.ts';
import type { CountedStore } from './postgres.ts';
import type { Stage } from './stage.ts';
import { ownCpuMs } from './stopwatch.ts';
import { benchTasks } from './tasks.ts';

export class OneProcessStage implements Stage {
  readonly tasks = benchTasks();
  readonly queries?: () => Promise<number>;
  readonly #store: string | Store;
  readonly #serverCpuMs: () => number;
  #component: AsyncTaskComponent | undefined;

  /** `serverCpuMs` is of a database that is a process of its own. */
  constructor(store: string | Store | CountedStore, serverCpuMs: () => number = () => 0) {
    this.#store = store;
    this.#serverCpuMs = serverCpuMs;
    if (typeof store === 'object' && 'queries' in store) {
      // Of a store that is not open there is nothing to count.
      this.queries = () => Promise.resolve(this.#component === undefined ? 0 : store.queries);
    }
  }

  async open(options: { readonly worker: boolean }): Promise<void> {
    this.#component = await startComponent(this.#store, this.tasks, options);
  }

  async startWorker(): Promise<void> {
    await this.close();
    await this.open({ worker: true });
  }

  async stopWorker(): Promise<void> {
    await this.close();
    await this.open({ worker: false });
  }

  async completed(): Promise<number> {
    return this.#component === undefined ? 0 : completedTasks(this.#component);
  }

  async cpuMs(): Promise<number> {
    return ownCpuMs() + this.#serverCpuMs();
  }

  async close(): Promise<void> {
    await this.#component?.stop();
    this.#component = undefined;
  }
}
