/** The worker of a stage in two processes. */
import type { AsyncTaskComponent } from 'everstep';
import { startComponent } from './component.ts';
import { answerQuestions } from './subprocess.ts';
import { ownCpuMs } from './stopwatch.ts';
import { benchTasks } from './tasks.ts';

let component: AsyncTaskComponent | undefined;

answerQuestions({
  start: async (store: string) => {
    component = await startComponent(store, benchTasks(), { worker: true });
  },
  stop: async () => {
    await component?.stop();
    component = undefined;
  },
  cpuMs: async () => ownCpuMs(),
});
