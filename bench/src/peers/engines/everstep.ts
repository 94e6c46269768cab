/** Everstep with its default options, but for as many places for steps as there are lanes, as the others have. */
import { join } from 'node:path';
import { startComponent } from '../../component.ts';
import { lanes } from '../../lanes.ts';
import { benchTasks } from '../../tasks.ts';
import type { StartEngine } from './engine.ts';

export const startEngine: StartEngine = async ({ folder, urls }) => {
  const tasks = benchTasks();
  const store = urls['postgres'] ?? `sqlite:${join(folder, 'bench.db')}?synchronous=full`;
  const component = await startComponent(store, tasks, { worker: true, concurrency: lanes });
  return {
    oneStep: async (params) => tasks.oneStep.result(await tasks.oneStep.submit(params)),
    fiveSteps: async (params) => tasks.fiveSteps.result(await tasks.fiveSteps.submit(params)),
    stop: () => component.stop(),
  };
};
