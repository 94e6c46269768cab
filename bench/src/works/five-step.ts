import { inLanes } from '../lanes.ts';
import { lapOf, queriesPer } from '../stopwatch.ts';
import { runFiveSteps } from '../tasks.ts';
import { warmUpOf, type Work } from './work.ts';

const steps = 5;

/** Many tasks of five steps, submitted and waited for. The unit is a step. */
export const fiveStep: Work = async ({ stage, n }) => {
  await stage.open({ worker: true });
  const run = (number: number): Promise<void> => runFiveSteps(stage.tasks, number);
  await inLanes(warmUpOf(n), run);
  const lap = await lapOf(stage, () => inLanes(n, run));
  const { seconds, cpuMs } = lap;
  return [
    {
      n,
      perSecond: n / seconds,
      stepsPerSecond: (n * steps) / seconds,
      cpuMsPerUnit: cpuMs / (n * steps),
      ...queriesPer(n * steps, lap),
    },
  ];
};
