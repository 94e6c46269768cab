/** What would be lost on the way is refused with its place, and a forgotten `yield*` is named. */
import { expect, it } from 'vitest';
import { all, AsyncTask, step, type AnyAsyncTask } from '../../src/index.ts';
import { rejection, running } from './running-component.ts';

async function failure(make: () => unknown, inStep: boolean): Promise<string> {
  const task = new AsyncTask<undefined, unknown>({
    name: 'loses',
    task: async function* () {
      return inStep ? yield* step('make', make) : make();
    },
  });
  await running('memory', [task]);
  const error = await rejection(task.result(await task.submit(undefined)));
  return error.message;
}

const cases: [() => unknown, string][] = [
  [() => new Map([[1, 2]]), 'result is a Map, which JSON writes as {}'],
  [() => ({ a: NaN }), 'result.a is NaN, which JSON writes as null'],
  [() => ({ f: () => 1 }), 'result.f is a function'],
  [() => ({ deep: [new Set([1])] }), 'result.deep[0] is a Set, which JSON writes as {}'],
  [() => ({ n: [1n] }), 'result.n[0] is a BigInt'],
];

it('a result of a task that JSON would garble fails the task and names the place', async () => {
  for (const [make, problem] of cases) {
    expect(await failure(make, false)).toContain(
      `The result of task "loses" cannot be serialised: ${problem}`,
    );
  }
});

it('a result of a step that JSON would garble fails the step and names its key and the place', async () => {
  for (const [make, problem] of cases) {
    expect(await failure(make, true)).toContain(
      `The result of step "make" cannot be serialised: ${problem}`,
    );
  }
});

it('a function that is the one step of its task is refused the same', async () => {
  const task = new AsyncTask({ name: 'one', task: async () => ({ m: new Map() }) });
  await running('memory', [task]);
  const error = await rejection(task.result(await task.submit(undefined)));
  expect(error.message).toContain('result.m is a Map');
});

it('a Date, an instance of a class, bytes and steps without a value stay allowed', async () => {
  class Point {
    readonly x = 1;
  }
  const task = new AsyncTask({
    name: 'keeps',
    task: async function* () {
      const bytes = yield* step('bytes', () => Buffer.from('x'));
      const none = yield* all([step('a', () => undefined), step('b', () => undefined)]);
      return { size: bytes.length, none, at: new Date(0), point: new Point(), gone: undefined };
    },
  });
  await running('memory', [task]);
  expect(await task.result(await task.submit(undefined))).toEqual({
    size: 1,
    none: [null, null],
    at: '1970-01-01T00:00:00.000Z',
    point: { x: 1 },
  });
});

it('a step that was awaited and returned says to write yield*', async () => {
  const make = async (): Promise<unknown> => {
    // oxlint-disable-next-line typescript/await-thenable -- the mistake that is tested
    const file: unknown = await step('fetch', () => 1);
    return { file };
  };
  expect(await failure(make, true)).toContain('write yield* step("fetch", …)');
});

it('a step that was used as its own value waits for corrected code that says yield*', async () => {
  const task = new AsyncTask<undefined, string>({
    name: 'forgets',
    // oxlint-disable-next-line eslint/require-yield -- the mistake that is tested
    task: async function* () {
      return `file: ${step('fetch', () => 1) as unknown as string}`;
    },
  });
  await running('memory', [task as AnyAsyncTask]);
  const id = await task.submit(undefined);
  let message: string | undefined;
  for await (const { error, status } of task.watch(id)) {
    expect(status).toBe('pending');
    message = error;
    if (message !== undefined) break;
  }
  expect(message).toContain('write yield* step("fetch", …)');
});

it('a step may be yielded without the star in an async generator', async () => {
  const task = new AsyncTask({
    name: 'plain-yield',
    task: async function* (): AsyncGenerator<unknown, number, number> {
      return (yield step('a', () => 1)) + (yield step('b', () => 2));
    },
  });
  await running('memory', [task]);
  expect(await task.result(await task.submit(undefined))).toBe(3);
});
