import { setTimeout as pause } from 'node:timers/promises';
import { inLanes } from '../lanes.ts';
import { lapOf, queriesPer } from '../stopwatch.ts';
import { runOneStep } from '../tasks.ts';
import type { Work } from './work.ts';

const settleMs = 2_000;

/** A started component after its last task. The unit is a second. */
export const idle: Work = async ({ stage, n }) => {
  await stage.open({ worker: true });
  await inLanes(200, (number) => runOneStep(stage.tasks, number));
  await pause(settleMs);
  const lap = await lapOf(stage, () => pause(n * 1000));
  return [{ n, cpuMsPerUnit: lap.cpuMs / n, ...queriesPer(n, lap) }];
};
