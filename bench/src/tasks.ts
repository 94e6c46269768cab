/** The tasks that are measured. Their steps do nothing: what is left is what Everstep itself takes. */
import { AsyncTask, step } from 'everstep';
import { expectEqual } from './expectation.ts';
import { oneStepParams, type OneStepParams } from './params.ts';

interface ResumedResult {
  readonly number: number;
  /** The process in which each step ran to its end. */
  readonly pids: readonly number[];
}

export interface BenchTasks {
  readonly oneStep: AsyncTask<OneStepParams, number>;
  readonly fiveSteps: AsyncTask<{ readonly number: number }, number>;
  readonly resumed: AsyncTask<{ readonly number: number }, ResumedResult>;
}

/** `beforeMiddle` runs inside the middle step of the resumed task. */
export function benchTasks(beforeMiddle: () => Promise<void> = async () => {}): BenchTasks {
  return {
    oneStep: new AsyncTask({
      name: 'one-step',
      task: async ({ number }: OneStepParams) => number + 1,
    }),
    fiveSteps: new AsyncTask({
      name: 'five-step',
      task: async function* ({ number }: { readonly number: number }) {
        const one = yield* step('one', () => number + 1);
        const two = yield* step('two', () => one + 1);
        const three = yield* step('three', () => two + 1);
        const four = yield* step('four', () => three + 1);
        return yield* step('five', () => four + 1);
      },
    }),
    resumed: new AsyncTask({
      name: 'resumed',
      task: async function* ({ number }: { readonly number: number }) {
        const first = yield* step('first', () => process.pid);
        const middle = yield* step('middle', async () => {
          await beforeMiddle();
          return process.pid;
        });
        const last = yield* step('last', () => process.pid);
        return { number, pids: [first, middle, last] };
      },
    }),
  };
}

export async function runOneStep({ oneStep }: BenchTasks, number: number): Promise<void> {
  const taskId = await oneStep.submit(oneStepParams(number));
  expectEqual(await oneStep.result(taskId), number + 1, `the result of task ${taskId}`);
}

export async function runFiveSteps({ fiveSteps }: BenchTasks, number: number): Promise<void> {
  const taskId = await fiveSteps.submit({ number });
  expectEqual(await fiveSteps.result(taskId), number + 5, `the result of task ${taskId}`);
}
