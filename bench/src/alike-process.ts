/** One of the processes that are alike. */
import type { AsyncTaskComponent } from 'everstep';
import type { Share } from './alike.ts';
import { startComponent } from './component.ts';
import { inLanes, lanes } from './lanes.ts';
import { postgresStore, type CountedStore } from './postgres.ts';
import { answerQuestions } from './subprocess.ts';
import { ownCpuMs } from './stopwatch.ts';
import { benchTasks, runFiveSteps, runOneStep } from './tasks.ts';

const tasks = benchTasks();
let store: CountedStore | undefined;
let component: AsyncTaskComponent | undefined;

answerQuestions({
  start: async (storeUrl: string) => {
    store = await postgresStore(storeUrl);
    component = await startComponent(store, tasks, { worker: true });
  },
  run: async ({ steps, n, processes }: Share) => {
    const one = steps === 1 ? runOneStep : runFiveSteps;
    await inLanes(n, (number) => one(tasks, number), lanes / processes);
  },
  queries: async () => store?.queries ?? 0,
  cpuMs: async () => ownCpuMs(),
  stop: async () => component?.stop(),
});
