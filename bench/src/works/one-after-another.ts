import { inLanes } from '../lanes.ts';
import { percentile } from '../percentile.ts';
import { lapOf, queriesPer } from '../stopwatch.ts';
import { runOneStep } from '../tasks.ts';
import { warmUpOf, type Work } from './work.ts';

/** One task at a time, from its submit to its result: every commit is waited for. */
export const oneAfterAnother: Work = async ({ stage, n }) => {
  await stage.open({ worker: true });
  const latencies: number[] = [];
  const run = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number += 1) {
      const before = performance.now();
      await runOneStep(stage.tasks, number);
      latencies.push(performance.now() - before);
    }
  };
  await inLanes(warmUpOf(n), (number) => runOneStep(stage.tasks, number));
  await run(Math.ceil(n / 10));
  latencies.length = 0;
  const lap = await lapOf(stage, () => run(n));
  const { seconds, cpuMs } = lap;
  return [
    {
      n,
      perSecond: n / seconds,
      p50Ms: percentile(latencies, 50),
      p99Ms: percentile(latencies, 99),
      cpuMsPerUnit: cpuMs / n,
      ...queriesPer(n, lap),
    },
  ];
};
