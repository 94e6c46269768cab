import { expectEqual } from '../expectation.ts';
import { inLanes } from '../lanes.ts';
import { bytesInUse } from '../memory.ts';
import type { Stage } from '../stage.ts';
import { lapOf } from '../stopwatch.ts';
import { oneStepParams } from '../params.ts';
import { warmUpOf, type Work } from './work.ts';

/** Of how many tasks, spread over the backlog, the result is read; of all the others the store's count. */
const samples = 100;
const pauseMs = 5;

/** Tasks that no worker takes, then a worker that takes them all. */
export const backlog: Work = async ({ stage, n }) => {
  await stage.open({ worker: false });
  const warmUp = warmUpOf(n);
  const warmUpSamples = await submitted(stage, warmUp);
  await stage.startWorker();
  await drained(stage, warmUpSamples, warmUp);
  await stage.stopWorker();

  const bytesBefore = await bytesInUse();
  let sampled = new Map<number, string>();
  const submit = await lapOf(stage, async () => {
    sampled = await submitted(stage, n);
  });
  const bytes = (await bytesInUse()) - bytesBefore;
  const drain = await lapOf(stage, async () => {
    await stage.startWorker();
    await drained(stage, sampled, warmUp + n);
  });
  return [
    {
      part: 'submit',
      n,
      perSecond: n / submit.seconds,
      bytesPerTask: bytes / n,
      cpuMsPerUnit: submit.cpuMs / n,
    },
    { part: 'drain', n, perSecond: n / drain.seconds, cpuMsPerUnit: drain.cpuMs / n },
  ];
};

/** The ids of the sampled tasks; all ids would count as memory of the tasks. */
async function submitted({ tasks }: Stage, n: number): Promise<Map<number, string>> {
  const sampled = new Map<number, string>();
  const every = Math.ceil(n / samples);
  await inLanes(n, async (number) => {
    const taskId = await tasks.oneStep.submit(oneStepParams(number));
    if (number % every === 0 || number === n - 1) sampled.set(number, taskId);
  });
  return sampled;
}

async function drained(
  stage: Stage,
  sampled: ReadonlyMap<number, string>,
  expected: number,
): Promise<void> {
  const { oneStep } = stage.tasks;
  await Promise.all(
    [...sampled].map(async ([number, taskId]) => {
      expectEqual(await oneStep.result(taskId), number + 1, `the result of task ${taskId}`);
    }),
  );
  let before = -1;
  for (let lastChange = performance.now(); ;) {
    const completed = await stage.completed();
    if (completed === expected) return;
    if (completed > before) lastChange = performance.now();
    before = completed;
    if (completed > expected || performance.now() - lastChange > 10_000) {
      expectEqual(completed, expected, 'the number of completed tasks');
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
