/** The client in this process, as in a web server; the worker in a process of its own, over the same file. */
import type { AsyncTaskComponent } from 'everstep';
import { completedTasks, startComponent } from './component.ts';
import { Subprocess } from './subprocess.ts';
import type { Stage } from './stage.ts';
import { ownCpuMs } from './stopwatch.ts';
import { benchTasks } from './tasks.ts';

export class TwoProcessStage implements Stage {
  readonly tasks = benchTasks();
  readonly #store: string;
  readonly #worker: Subprocess;
  #component: AsyncTaskComponent | undefined;

  constructor(store: string) {
    this.#store = store;
    this.#worker = new Subprocess(new URL('./worker-process.ts', import.meta.url));
  }

  async open(options: { readonly worker: boolean }): Promise<void> {
    if (options.worker) await this.startWorker();
    this.#component = await startComponent(this.#store, this.tasks, { worker: false });
  }

  async startWorker(): Promise<void> {
    await this.#worker.ask('start', this.#store);
  }

  async stopWorker(): Promise<void> {
    await this.#worker.ask('stop');
  }

  async completed(): Promise<number> {
    return this.#component === undefined ? 0 : completedTasks(this.#component);
  }

  async cpuMs(): Promise<number> {
    return ownCpuMs() + (await this.#worker.ask<number>('cpuMs'));
  }

  async close(): Promise<void> {
    await this.#worker.ask('stop');
    await this.#worker.leave();
    await this.#component?.stop();
  }
}
