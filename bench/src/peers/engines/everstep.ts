/** Everstep with its default options. */
import { join } from 'node:path';
import { startComponent } from '../../component.ts';
import { benchTasks } from '../../tasks.ts';
import type { StartEngine } from './engine.ts';

export const startEngine: StartEngine = async ({ folder }) => {
  const tasks = benchTasks();
  const store = `sqlite:${join(folder, 'bench.db')}?synchronous=full`;
  const component = await startComponent(store, tasks, { worker: true });
  return {
    oneStep: async (params) => tasks.oneStep.result(await tasks.oneStep.submit(params)),
    fiveSteps: async (params) => tasks.fiveSteps.result(await tasks.fiveSteps.submit(params)),
    stop: () => component.stop(),
  };
};
