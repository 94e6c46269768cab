import { expectEqual } from '../expectation.ts';
import { Subprocess } from '../subprocess.ts';
import { lapOf } from '../stopwatch.ts';
import type { Work } from './work.ts';

/**
 * Runs whose process was killed while each was in its middle step. Nothing is warmed up: a process that starts after
 * a kill is cold. The time begins before the component starts.
 */
export const resumed: Work = async ({ stage, storeUrl, n }) => {
  const taskIds = Array.from({ length: n }, (_item, number) => `resumed-${number}`);
  const victim = new Subprocess(new URL('../victim-process.ts', import.meta.url));
  const pid = await victim.ask<number>('fill', { store: storeUrl, taskIds });
  await victim.kill();
  const { seconds, cpuMs } = await lapOf(stage, async () => {
    await stage.open({ worker: true });
    await Promise.all(
      taskIds.map(async (taskId, number) => {
        const result = await stage.tasks.resumed.result(taskId);
        expectEqual(result.number, number, `the result of task ${taskId}`);
        const [first, middle, last] = result.pids;
        expectEqual(first, pid, `the process of the step before the kill of task ${taskId}`);
        expectEqual(
          middle !== pid && last !== pid,
          true,
          `that task ${taskId} went on in another process`,
        );
      }),
    );
  });
  return [{ n, perSecond: n / seconds, cpuMsPerUnit: cpuMs / n }];
};
