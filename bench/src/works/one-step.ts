import { inLanes } from '../lanes.ts';
import { lapOf, queriesPer } from '../stopwatch.ts';
import { runOneStep } from '../tasks.ts';
import { warmUpOf, type Work } from './work.ts';

/** Many tasks of one step, submitted and waited for. */
export const oneStep: Work = async ({ stage, n }) => {
  await stage.open({ worker: true });
  const run = (number: number): Promise<void> => runOneStep(stage.tasks, number);
  await inLanes(warmUpOf(n), run);
  const lap = await lapOf(stage, () => inLanes(n, run));
  const { seconds, cpuMs } = lap;
  return [{ n, perSecond: n / seconds, cpuMsPerUnit: cpuMs / n, ...queriesPer(n, lap) }];
};
