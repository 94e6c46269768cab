/** A process that is killed: it brings runs into the middle of their steps, where they stay. */
import { startComponent } from './component.ts';
import { inLanes } from './lanes.ts';
import { answerQuestions } from './subprocess.ts';
import { benchTasks } from './tasks.ts';

answerQuestions({
  /** Resolves with this process's id when that many runs are in their middle step. */
  fill: async ({ store, taskIds }: { store: string; taskIds: readonly string[] }) => {
    let inTheMiddle = 0;
    let full: (value: unknown) => void = () => {};
    const filled = new Promise((resolve) => {
      full = resolve;
    });
    const tasks = benchTasks(() => {
      inTheMiddle += 1;
      if (inTheMiddle === taskIds.length) full(undefined);
      return new Promise(() => {});
    });
    await startComponent(store, tasks, { worker: true, concurrency: taskIds.length });
    await inLanes(taskIds.length, async (number) => {
      await tasks.resumed.submit({ number }, { taskId: taskIds[number] ?? '' });
    });
    await filled;
    return process.pid;
  },
});
