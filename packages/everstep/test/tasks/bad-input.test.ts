/** What bad input gets: each test reads the message. */
import { describe, expect, it } from 'vitest';
import {
  all,
  AsyncTask,
  AsyncTaskComponent,
  sleep,
  step,
  type AnyAsyncTask,
  type StandardSchema,
} from '../../src/index.ts';
import { rejection, running, silent, storeKinds, storeUrl } from './running-component.ts';

const threeMegabytes = 'x'.repeat(3 * 1024 * 1024);

/** The error a task shows while it cannot go on. */
async function stuckMessage(task: AsyncTask<undefined, void>): Promise<string> {
  const id = await task.submit(undefined);
  for await (const { error, status } of task.watch(id)) {
    if (error !== undefined) return `${status}: ${error}`;
  }
  return 'it ended';
}

function caught(run: () => unknown): Error & { readonly code?: unknown } {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  return new TypeError('nothing was thrown');
}

describe.each(storeKinds)('bad input on the %s store', (kind) => {
  it('parameters that cannot be serialised are refused with their place and an id', async () => {
    const task = new AsyncTask({ name: 'any', task: async (params: unknown) => params });
    await running(kind, [task]);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const cases: [unknown, string, string][] = [
      [
        { user: { callback: () => 1 } },
        'TASK_PARAMS_NOT_SERIALIZABLE',
        'params.user.callback is a function',
      ],
      [{ count: 1n }, 'TASK_PARAMS_NOT_SERIALIZABLE', 'params.count is a BigInt'],
      [cycle, 'TASK_PARAMS_NOT_SERIALIZABLE', 'params.self refers back to params, a cycle'],
      [{ image: threeMegabytes }, 'TASK_PARAMS_TOO_LARGE', 'the limit is 2097152 bytes (2 MiB)'],
    ];
    for (const [params, code, message] of cases) {
      const error = await rejection(task.submit(params, { taskId: 'refused' }));
      expect(error).toMatchObject({ code, taskId: 'refused' });
      expect(error.message).toContain(message);
    }
    expect(await task.getStatus('refused')).toMatchObject({ status: 'not_found' });
  });

  it('the same id is one task: with the same parameters accepted, with others refused', async () => {
    const task = new AsyncTask({ name: 'once', task: async ({ n }: { n: number }) => n });
    const other = new AsyncTask({ name: 'other', task: async ({ n }: { n: number }) => n });
    await running(kind, [task, other]);
    expect(await task.submit({ n: 1 }, { taskId: 'id' })).toBe('id');
    expect(await task.submit({ n: 1 }, { taskId: 'id' })).toBe('id');
    expect(await task.result('id')).toBe(1);
    expect(await task.submit({ n: 1 }, { taskId: 'id' })).toBe('id');
    const conflict = await rejection(task.submit({ n: 2 }, { taskId: 'id' }));
    expect(conflict).toMatchObject({ code: 'TASK_ID_CONFLICT', taskId: 'id' });
    expect(conflict.message).toContain('which was submitted with other parameters');
    const wrongType = await rejection(other.submit({ n: 1 }, { taskId: 'id' }));
    expect(wrongType.message).toContain('of workflow type "asyncTask_once", not "asyncTask_other"');
  });

  it('a submit before start says to call start()', async () => {
    const task = new AsyncTask({ name: 'early', task: async () => 1 });
    const component = new AsyncTaskComponent({ store: await storeUrl(kind), logger: silent });
    component.register(task);
    const error = await rejection(task.submit(undefined));
    expect(error).toMatchObject({ code: 'TASK_NOT_CONNECTED' });
    expect(error.message).toContain('call start() first');
    expect(caught(() => component.getClient())).toMatchObject({ code: 'COMPONENT_STATE' });
  });

  it('delays, ids and timeouts that cannot be are refused', async () => {
    const task = new AsyncTask({ name: 'odd', task: async () => 1 });
    await running(kind, [task]);
    for (const delay of [-1, NaN, Infinity, '20 years', 'soon', '-5s']) {
      const error = await rejection(task.submit(undefined, { delay: delay as number }));
      expect(error).toMatchObject({ code: 'SUBMIT_OPTIONS_INVALID' });
      expect(error.message).toMatch(/^delay is .*expected 0 or more and at most 10 years/);
    }
    for (const taskId of ['', 'x'.repeat(1001), 7]) {
      const error = await rejection(task.submit(undefined, { taskId: taskId as string }));
      expect(error).toMatchObject({ code: 'TASK_ID_INVALID' });
    }
    const error = await rejection(task.result('x', { timeout: -1 }));
    expect(error.message).toMatch(/^timeout is -1, which is out of range/);
  });

  it('a result that faulty code keeps from coming says why when its time is over', async () => {
    const task = new AsyncTask({
      name: 'twice',
      task: async function* () {
        yield* all([step('same', () => 1), step('same', () => 2)]);
      },
    });
    await running(kind, [task]);
    const error = await rejection(task.result(await task.submit(undefined), { timeout: '1s' }));
    expect(error).toMatchObject({ code: 'RESULT_TIMEOUT' });
    expect(error.cause).toBeUndefined();
    expect(error.message).toMatch(
      /its status is pending\. Its last error: Task "twice", at .*: The key "same" .* two keys\. It goes on/,
    );
  });

  it('a schema that refuses names each place, and what it parses is what arrives', async () => {
    const schema: StandardSchema<unknown, { n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async (value) => {
          const { n } = value as { n: unknown };
          const number = Number(n);
          return Number.isNaN(number)
            ? { issues: [{ message: 'must be a number', path: ['n'] }] }
            : { value: { n: number } };
        },
      },
    };
    const task = new AsyncTask({
      name: 'schema',
      schema: { params: schema },
      task: async ({ n }) => n + 1,
    });
    await running(kind, [task]);
    const error = await rejection(task.submit({ n: 'one' as unknown as number }));
    expect(error).toMatchObject({ code: 'TASK_PARAMS_INVALID' });
    expect(error.message).toContain('params.n: must be a number');
    const id = await task.submit({ n: '41' as unknown as number });
    expect(await task.result(id)).toBe(42);
  });

  it('a result that is too large or cannot be serialised fails the step and names it', async () => {
    const large = new AsyncTask({
      name: 'large',
      task: async function* () {
        yield* step('huge', () => threeMegabytes);
      },
    });
    const odd = new AsyncTask({
      name: 'odd-result',
      task: async function* () {
        yield* step('count', () => ({ n: 1n }));
      },
    });
    await running(kind, [large, odd]);
    const tooLarge = await rejection(large.result(await large.submit(undefined)));
    expect(tooLarge.message).toContain('huge');
    expect(tooLarge.message).toMatch(/limit/i);
    const notSerializable = await rejection(odd.result(await odd.submit(undefined)));
    expect(notSerializable.message).toContain('count');
  });

  it('a step that throws a non-Error fails with what it threw', async () => {
    const task = new AsyncTask({
      name: 'throws-text',
      retryPolicy: { maxRetries: 0 },
      task: async function* () {
        yield* step('text', () => {
          // oxlint-disable-next-line typescript/only-throw-error -- the point of the test
          throw 'just text';
        });
      },
    });
    await running(kind, [task]);
    const error = await rejection(task.result(await task.submit(undefined)));
    expect(error.message).toContain('just text');
  });

  it('code that breaks a rule of tasks waits, and its status says why', async () => {
    const hash = new AsyncTask<undefined, void>({
      name: 'hash',
      task: async function* () {
        yield* step('a#b', () => 1);
      },
    });
    const twice = new AsyncTask<undefined, void>({
      name: 'twice',
      task: async function* () {
        yield* all([step('same', () => 1), step('same', () => 2)]);
      },
    });
    const oddYield = new AsyncTask<undefined, void>({
      name: 'odd-yield',
      task: async function* () {
        yield 42;
      },
    });
    const stalled = new AsyncTask<undefined, void>({
      name: 'stalled',
      task: async function* () {
        yield* step('before', () => 1);
        await new Promise(() => undefined);
      },
    });
    await running(kind, [hash, twice, oddYield, stalled] as readonly AnyAsyncTask[]);
    expect(await stuckMessage(hash)).toMatch(/^p.*ing: .*a#b/);
    expect(await stuckMessage(twice)).toMatch(/^p.*ing: .*same/);
    expect(await stuckMessage(oddYield)).toMatch(/^p.*ing: .*42/);
    expect(await stuckMessage(stalled)).toMatch(/^p.*ing: .*before/);
  });
});

it('a key that changed its kind waits for corrected code and names the key', async () => {
  const store = await storeUrl('sqlite');
  const before = new AsyncTask<undefined, void>({
    name: 'changes',
    task: async function* () {
      yield* sleep('1h', { key: 'wait' });
    },
  });
  const first = new AsyncTaskComponent({ store, logger: silent });
  first.register(before as AnyAsyncTask);
  await first.start();
  const id = await before.submit(undefined);
  for await (const { status } of before.watch(id)) if (status === 'processing') break;
  await first.stop();

  const after = new AsyncTask<undefined, void>({
    name: 'changes',
    task: async function* () {
      yield* step('wait', () => 1);
    },
  });
  const second = new AsyncTaskComponent({ store, logger: silent });
  second.register(after as AnyAsyncTask);
  await second.start();
  await second.getClient().workflow.getHandle(id).signal('look');
  let message: string | undefined;
  for await (const { error } of after.watch(id)) {
    message = error;
    if (message !== undefined) break;
  }
  expect(message).toContain('wait');
  await second.stop();
});

describe('options of a task', () => {
  it('are refused with the field, what was wrong and what is expected', () => {
    const task = async (): Promise<number> => 1;
    const cases: [object, string][] = [
      [{ task }, 'The name of a task is undefined; expected a string'],
      [{ name: '', task }, 'The name of a task is ""'],
      [{ name: 'x', task: 7 }, 'task is 7; expected a function'],
      [{ name: 'x', task, taskQueue: '' }, 'taskQueue is ""'],
      [{ name: 'x', task, retryPolicy: { maxRetries: -1 } }, 'retryPolicy.maxRetries is -1'],
      [{ name: 'x', task, retryPolicy: { maxRetries: 1.5 } }, 'retryPolicy.maxRetries is 1.5'],
      [
        { name: 'x', task, retryPolicy: { initialDelay: 'later' } },
        'retryPolicy.initialDelay is "later"',
      ],
      [
        { name: 'x', task, retryPolicy: { backoffMultiplier: 0.5 } },
        'retryPolicy.backoffMultiplier is 0.5',
      ],
      [{ name: 'x', task, retryPolicy: { retries: 3 } }, 'retryPolicy.retries is no field of it'],
      [{ name: 'x', task, timeouts: { startToClose: -5 } }, 'timeouts.startToClose is -5'],
      [
        { name: 'x', task, timeouts: { heartbeat: '100 years' } },
        'timeouts.heartbeat is "100 years"',
      ],
      [{ name: 'x', task, limit: { concurrent: 0 } }, 'limit.concurrent is 0'],
      [{ name: 'x', task, limit: { perSecond: -1 } }, 'limit.perSecond is -1'],
      [
        { name: 'x', task, schema: { params: {} } },
        'schema.params is an object; expected a Standard Schema',
      ],
    ];
    for (const [options, message] of cases) {
      const error = caught(() => new AsyncTask(options as never));
      expect(error).toMatchObject({ code: 'TASK_OPTIONS_INVALID' });
      expect(error.message).toContain(message);
    }
  });
});

describe('a component', () => {
  it('refuses a second task of a name, what is no task, and registering after start', async () => {
    const task = new AsyncTask({ name: 'same', task: async () => 1 });
    const component = new AsyncTaskComponent({ store: 'memory', logger: silent });
    component.register(task);
    const twice = caught(() =>
      component.register(new AsyncTask({ name: 'same', task: async () => 2 })),
    );
    expect(twice).toMatchObject({ code: 'DUPLICATE_NAME' });
    expect(twice.message).toContain('A task named "same" is registered already');
    const odd = caught(() => component.register((() => 1) as unknown as AnyAsyncTask));
    expect(odd).toMatchObject({ code: 'REGISTRATION_INVALID' });
    await component.start();
    const late = caught(() =>
      component.register(new AsyncTask({ name: 'late', task: async () => 1 })),
    );
    expect(late).toMatchObject({ code: 'COMPONENT_STATE' });
    expect(late.message).toContain('Register "late" first, then start');
    await component.stop();
  });

  it('registers all of a list or none', () => {
    const component = new AsyncTaskComponent({ store: 'memory', logger: silent });
    const [a, b] = ['a', 'b'].map((name) => new AsyncTask({ name, task: async () => 1 }));
    expect(caught(() => component.registerAll([a, b, a] as AnyAsyncTask[]))).toMatchObject({
      code: 'DUPLICATE_NAME',
    });
    component.registerAll([a, b] as AnyAsyncTask[]);
    for (const items of [5, null, a]) {
      const error = caught(() => component.registerAll(items as never));
      expect(error).toMatchObject({ code: 'REGISTRATION_INVALID' });
      expect(error.message).toMatch(/^registerAll\(\) was given .*; expected a list of tasks/);
    }
  });

  it('refuses to start while another that is started has one of its tasks', async () => {
    const shared = new AsyncTask({ name: 'shared', task: async () => 1 });
    const own = new AsyncTask({ name: 'own', task: async () => 1 });
    const make = (...tasks: AnyAsyncTask[]): AsyncTaskComponent => {
      const component = new AsyncTaskComponent({ store: 'memory', logger: silent });
      component.registerAll(tasks);
      return component;
    };
    const first = make(shared as AnyAsyncTask);
    await first.start();
    const id = await shared.submit(undefined);
    const second = make(own as AnyAsyncTask, shared as AnyAsyncTask);
    const error = await rejection(second.start());
    expect(error).toMatchObject({ code: 'COMPONENT_STATE' });
    expect(error.message).toContain(
      'the task "shared" is registered on another AsyncTaskComponent',
    );
    expect(error.message).toContain('copy()');
    expect(await shared.result(id)).toBe(1);

    const third = make(own as AnyAsyncTask, shared.copy() as AnyAsyncTask);
    await third.start();
    expect(await own.result(await own.submit(undefined))).toBe(1);
    await third.stop();
    expect(await shared.result(id)).toBe(1);
    await first.stop();
    await second.start();
    expect(await shared.getStatus(id)).toMatchObject({ status: 'not_found' });
    await second.stop();
  });

  it('refuses both store and temporalAddress', () => {
    const error = caught(
      () => new AsyncTaskComponent({ store: 'memory', temporalAddress: 'h:7233' }),
    );
    expect(error).toMatchObject({ code: 'COMPONENT_OPTIONS_INVALID' });
    expect(error.message).toContain('both store and temporalAddress are given');
  });

  it('starts with no task, names its engine in one line, and takes a second start as a notice', async () => {
    const lines: string[] = [];
    const info = (line: string): void => void lines.push(line);
    const component = new AsyncTaskComponent({ store: 'memory', logger: { ...silent, info } });
    expect(component.isStarted()).toBe(false);
    await Promise.all([component.start(), component.start()]);
    expect(component.isStarted()).toBe(true);
    const engineLines = lines.filter((line) => line.includes('embedded engine'));
    expect(engineLines).toHaveLength(1);
    await component.start();
    expect(lines.at(-1)).toContain('start() was called again');
    await Promise.all([component.stop(), component.stop()]);
    expect(component.isStarted()).toBe(false);
    expect(await rejection(component.start())).toMatchObject({ code: 'COMPONENT_STATE' });
  });

  it('may be stopped without having been started', async () => {
    const component = new AsyncTaskComponent({ store: 'memory', logger: silent });
    await component.stop();
    expect(component.isStarted()).toBe(false);
  });
});
