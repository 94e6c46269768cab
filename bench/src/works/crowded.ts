import { inLanes } from '../lanes.ts';
import { lapOf } from '../stopwatch.ts';
import { runOneStep } from '../tasks.ts';
import type { Figures } from '../row.ts';
import { warmUpOf, type Work } from './work.ts';

/** Waiting tasks for each measured one, and finished ones. */
const waitingFactor = 10;
const finishedFactor = 100;

/** The rate of one-step tasks in an empty store, beside many that wait, and behind many that have finished. */
export const crowded: Work = async ({ stage, n }) => {
  await stage.open({ worker: true });
  const run = (number: number): Promise<void> => runOneStep(stage.tasks, number);
  const measured = async (part: string): Promise<Figures> => {
    const { seconds, cpuMs } = await lapOf(stage, () => inLanes(n, run));
    return { part, n, perSecond: n / seconds, cpuMsPerUnit: cpuMs / n };
  };
  await inLanes(warmUpOf(n), run);
  const empty = await measured('empty');
  const waiting = n * waitingFactor;
  await inLanes(waiting, async (number) => {
    await stage.tasks.oneStep.submit({ number, text: '' }, { delay: '1 day' });
  });
  const beside = await measured(`beside ${waiting} waiting`);
  const finished = n * finishedFactor;
  await inLanes(finished, run);
  return [empty, beside, await measured(`behind ${finished} finished`)];
};
