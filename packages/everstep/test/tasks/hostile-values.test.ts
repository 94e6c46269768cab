/** Values meant to do harm: each is refused or cut, and the process and the other tasks go on. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { all, ApplicationFailure, AsyncTask, step, type AnyAsyncTask } from '../../src/index.ts';
import { rejection, running, storeKinds } from './running-component.ts';

const threeMegabytes = 'x'.repeat(3 * 1024 * 1024);

/** The error a task shows while it cannot go on. */
async function stuckMessage(task: AsyncTask<undefined, void>): Promise<string> {
  const id = await task.submit(undefined);
  for await (const { error } of task.watch(id)) if (error !== undefined) return error;
  return 'it ended';
}

describe.each(storeKinds)('hostile values on the %s store', (kind) => {
  it('an id that cannot be one is refused by every method, and finds no other task', async () => {
    const task = new AsyncTask({ name: 'odd', task: async () => 1 });
    const component = await running(kind, [task]);
    await task.submit(undefined, { taskId: 'a' });
    for (const taskId of ['', 'a\0b'] as const) {
      expect(await rejection(task.getStatus(taskId))).toMatchObject({ code: 'TASK_ID_INVALID' });
      expect(await rejection(task.result(taskId))).toMatchObject({ code: 'TASK_ID_INVALID' });
      expect(await rejection(task.terminate(taskId))).toMatchObject({ code: 'TASK_ID_INVALID' });
    }
    const { workflow } = component.getClient();
    await expect(workflow.getHandle('a\0b').describe()).rejects.toThrow('not found');
    await expect(
      workflow.start('any', { workflowId: 'a\0c', taskQueue: 'q' }),
    ).rejects.toMatchObject({ cause: { details: 'WorkflowId holds NUL or a lone surrogate.' } });
  });

  it('parameters within some bytes of the limit are judged by what is stored', async () => {
    const task = new AsyncTask({ name: 'near', task: async (text: string) => text.length });
    await running(kind, [task]);
    const near = 'x'.repeat(2 * 1024 * 1024 - 10);
    expect(await rejection(task.submit(near))).toMatchObject({ code: 'TASK_PARAMS_TOO_LARGE' });
    const id = await task.submit(near.slice(100));
    expect(await task.result(id)).toBe(near.length - 100);
  });

  it('an error too large to keep is cut, and one that cannot be read still fails its step or its task', async () => {
    const unreadable = new Proxy(
      {},
      {
        get: () => {
          throw new Error('trap');
        },
        getPrototypeOf: () => {
          throw new Error('trap');
        },
      },
    );
    const trapped = (field: string): Error =>
      Object.defineProperty(new Error('x'), field, {
        get: () => {
          throw new Error('trap');
        },
      });
    const throws: Record<string, unknown> = {
      large: new Error(`first words ${threeMegabytes}`),
      unreadable,
      message: trapped('message'),
      stack: trapped('stack'),
      constructorless: Object.assign(new Error('no class'), { constructor: undefined }),
      oddName: Object.assign(new Error('odd name'), { name: 5 }),
      oddMessage: Object.assign(new Error('x'), { message: { a: 1 } }),
      oddType: ApplicationFailure.create({ message: 'odd type', type: 5 as never }),
      oddDetails: ApplicationFailure.create({ message: 'odd details', details: [1n] }),
    };
    const retryPolicy = { maxRetries: 0 };
    const whole = new AsyncTask<string, void>({
      name: 'whole',
      // oxlint-disable-next-line eslint/require-yield -- what it throws is the point of the test
      task: async function* (which) {
        throw throws[which];
      },
    });
    const inStep = new AsyncTask<string, void>({
      name: 'in-step',
      retryPolicy,
      task: async function* (which) {
        yield* step('odd', () => {
          throw throws[which];
        });
      },
    });
    await running(kind, [whole, inStep] as readonly AnyAsyncTask[]);
    for (const task of [whole, inStep]) {
      const error = await rejection(task.result(await task.submit('large')));
      expect(error).toMatchObject({ code: 'TASK_FAILED' });
      expect(error.message).toContain('first words');
      expect(error.message.length).toBeLessThan(10_000);
    }
    const readings = {
      unreadable: 'cannot be read',
      message: 'cannot be read',
      stack: 'x (its details cannot be serialised: Error: trap)',
      constructorless: 'no class',
      oddName: 'odd name',
      oddMessage: '{"a":1}',
      oddType: 'odd type (its details cannot be serialised: TypeError: its type is 5',
      oddDetails: 'odd details (its details cannot be serialised',
    };
    for (const [which, reading] of Object.entries(readings)) {
      for (const task of [whole, inStep]) {
        const error = await rejection(task.result(await task.submit(which), { timeout: '5s' }));
        expect({ which, code: error.code }).toEqual({ which, code: 'TASK_FAILED' });
        expect(error.message).toContain(reading);
      }
    }
  });

  it('a nextRetryDelay that is no span of time is left out, and the step is tried again', async () => {
    const attempts: number[] = [];
    const task = new AsyncTask<number, string>({
      name: 'parked',
      retryPolicy: { initialDelay: 1, maxRetries: 1 },
      task: async function* (nextRetryDelay) {
        return yield* step('busy', ({ attempt }) => {
          attempts.push(attempt);
          throw ApplicationFailure.create({ message: '429', nextRetryDelay });
        });
      },
    });
    await running(kind, [task]);
    for (const delay of [1e23, 1_795_285_557_000]) {
      const error = await rejection(task.result(await task.submit(delay)));
      expect(error.message).toContain('429 (its nextRetryDelay is 1');
    }
    expect(attempts).toEqual([1, 2, 1, 2]);
  });

  it('promises that are yielded and rejected do not end the process', async () => {
    const loose: unknown[] = [];
    const onLoose = (reason: unknown): void => void loose.push(reason);
    process.on('unhandledRejection', onLoose);
    onTestFinished(() => void process.off('unhandledRejection', onLoose));
    const one = new AsyncTask<undefined, void>({
      name: 'one',
      task: function* () {
        yield Promise.reject(new Error('loose'));
      } as () => Generator<unknown, void>,
    });
    const many = new AsyncTask<undefined, void>({
      name: 'many',
      task: async function* () {
        yield* all([1, 2, 3].map(() => Promise.reject(new Error('loose'))) as never);
      },
    });
    await running(kind, [one, many] as readonly AnyAsyncTask[]);
    expect(await stuckMessage(one)).toContain('A promise was yielded');
    expect(await stuckMessage(many)).toContain('A promise was yielded');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(loose).toEqual([]);
  });

  it('a rejected promise as the result of a plain generator does not end the process', async () => {
    const loose: unknown[] = [];
    const onLoose = (reason: unknown): void => void loose.push(reason);
    process.on('unhandledRejection', onLoose);
    onTestFinished(() => void process.off('unhandledRejection', onLoose));
    const task = new AsyncTask({
      name: 'returns-promise',
      task: function* () {
        yield* step('before', () => 1);
        return Promise.reject(new Error('loose'));
      } as () => Generator<unknown, unknown>,
    });
    await running(kind, [task as AnyAsyncTask]);
    await task.result(await task.submit(undefined)).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(loose).toEqual([]);
  });

  it('a key with half of a character is refused', async () => {
    const task = new AsyncTask<undefined, void>({
      name: 'half',
      task: async function* () {
        yield* step('\ud800', () => 1);
      },
    });
    await running(kind, [task as AnyAsyncTask]);
    expect(await stuckMessage(task)).toContain('half of a character');
  });
});
