/** Client and worker in this process. */
import type { AsyncTaskComponent, Store } from 'everstep';
import { completedTasks, startComponent } from './component.ts';
import type { Stage } from './stage.ts';
import { ownCpuMs } from './stopwatch.ts';
import { benchTasks } from './tasks.ts';

export class OneProcessStage implements Stage {
  readonly tasks = benchTasks();
  readonly #store: string | Store;
  #component: AsyncTaskComponent | undefined;

  constructor(store: string | Store) {
    this.#store = store;
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
    return ownCpuMs();
  }

  async close(): Promise<void> {
    await this.#component?.stop();
    this.#component = undefined;
  }
}
