/** A value of the wrong kind is refused where it is given, with the field and what is expected. */
import { expect, it } from 'vitest';
import {
  AsyncTask,
  remoteJob,
  signal,
  sleep,
  step,
  workflow,
  type AnyAsyncTask,
  type Logger,
  type StandardSchema,
} from '../../src/index.ts';
import { historyToJson, TestEnvironment } from '../../src/testing/index.ts';
import { rejection, running, silent } from './running-component.ts';

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

const getterThrows = (): object => ({
  get x(): never {
    throw new RangeError('no x today');
  },
});

it('parts of a task that are lists or dates are refused', () => {
  for (const part of ['retryPolicy', 'timeouts', 'limit', 'schema']) {
    for (const [value, shown] of [
      [[], 'an array'],
      [new Date(0), 'a Date'],
      [new Map(), 'an object'],
    ] as const) {
      const options = { name: 'x', task: async () => 1, [part]: value };
      expect(thrown(() => new AsyncTask(options as never))).toMatchObject({
        code: 'TASK_OPTIONS_INVALID',
        message: `Task "x": ${part} is ${shown}; expected an object.`,
      });
    }
  }
  class Policy {
    maxRetries = 1;
  }
  const task = new AsyncTask({ name: 'x', task: async () => 1, retryPolicy: new Policy() });
  expect(task.getRetryPolicy().maxRetries).toBe(1);
});

it('setClient takes an official client alone', () => {
  const task = new AsyncTask({ name: 'x', task: async () => 1 });
  const flow = workflow({ name: 'w' }, async () => 1);
  for (const value of [undefined, null, 5, {}, { workflow: {} }]) {
    expect(thrown(() => task.setClient(value as never))).toMatchObject({
      code: 'TASK_OPTIONS_INVALID',
      message: expect.stringMatching(/^Task "x": setClient\(\) was given .*expected a Client of/),
    });
    expect(thrown(() => flow.setClient(value as never))).toMatchObject({
      code: 'WORKFLOW_OPTIONS_INVALID',
    });
  }
});

it('what is no options object is refused by submit, result, cancel and webhook', async () => {
  const task = new AsyncTask({ name: 'odd', task: async () => 1 });
  await running('memory', [task]);
  const id = await task.submit(undefined);
  for (const [options, shown] of [
    [5, '5'],
    [NaN, 'NaN'],
    [null, 'null'],
    [[], 'an array'],
  ] as const) {
    expect(await rejection(task.result(id, options as never))).toMatchObject({
      code: 'SUBMIT_OPTIONS_INVALID',
      taskId: id,
      message: `The options are ${shown}; expected an object with timeout, signal.`,
    });
    expect(await rejection(task.cancel(id, options as never))).toMatchObject({
      code: 'SUBMIT_OPTIONS_INVALID',
      message: `The options are ${shown}; expected an object with reason.`,
    });
  }
  const secret = 's';
  for (const [key, delivery, message] of [
    [undefined, undefined, 'the key is undefined; expected the key of a remoteJob'],
    ['k', undefined, 'the delivery is undefined; expected { secret, body, signature }'],
    [
      'k',
      { secret: undefined, body: '{}', signature: '' },
      'secret is undefined; expected a string',
    ],
    ['k', { secret, signature: 'x' }, 'body is undefined; expected the raw body as it came'],
    ['k', { secret, body: {}, signature: 'x' }, 'body is an object; expected the raw body'],
  ] as const) {
    const error = await rejection(task.webhook(id, key as never, delivery as never));
    expect(error).toMatchObject({ code: 'SUBMIT_OPTIONS_INVALID', taskId: id });
    expect(error.message).toContain(message);
  }
  const unsigned = { secret, body: '{}', signature: undefined };
  expect(await rejection(task.webhook(id, 'k', unsigned))).toMatchObject({
    code: 'WEBHOOK_REFUSED',
  });
});

it('a submit that fails before anything is sent says what it was, and not that it may have arrived', async () => {
  const throwing: StandardSchema<unknown, unknown> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw new TypeError('no such rule');
      },
    },
  };
  const task = new AsyncTask({ name: 'before', task: async (params: unknown) => params });
  const schema = new AsyncTask({
    name: 'schema',
    schema: { params: throwing },
    task: async (params: unknown) => params,
  });
  await running('memory', [task, schema]);
  for (const [searchAttributes, message] of [
    [5, 'searchAttributes is 5; expected TypedSearchAttributes, or { name: [value] }.'],
    [[], 'searchAttributes is an array; expected'],
    [() => 1, 'searchAttributes is a function; expected'],
    [getterThrows(), 'searchAttributes cannot be encoded: no x today; expected'],
  ] as const) {
    const error = await rejection(task.submit(1, { searchAttributes: searchAttributes as never }));
    expect(error).toMatchObject({ code: 'SUBMIT_OPTIONS_INVALID' });
    expect(error.message).toContain(message);
  }
  const memo = await rejection(task.submit(1, { memo: getterThrows() as never }));
  expect(memo).toMatchObject({ code: 'SUBMIT_OPTIONS_INVALID' });
  expect(memo.message).toContain('memo.x cannot be read: no x today');
  const params = await rejection(task.submit({ a: getterThrows() }));
  expect(params).toMatchObject({ code: 'TASK_PARAMS_NOT_SERIALIZABLE' });
  expect(params.message).toContain('params.a has a field that cannot be read: no x today');
  const refused = await rejection(schema.submit(1));
  expect(refused).toMatchObject({ code: 'TASK_PARAMS_INVALID' });
  expect(refused.message).toContain(
    'The schema of task "schema" threw instead of answering: no such rule',
  );
});

it('the start of a workflow names the option that cannot be', async () => {
  const flow = workflow({ name: 'flow' }, async () => 1);
  await running('memory', [flow]);
  const cases: [object, string][] = [
    [{ startDelay: 'abc' }, 'startDelay is "abc"; expected 0 or more and at most 10 years'],
    [{ startDelay: NaN }, 'startDelay is NaN; expected 0 or more'],
    [{ workflowRunTimeout: -1 }, 'workflowRunTimeout is -1, which is out of range'],
    [{ workflowExecutionTimeout: {} }, 'workflowExecutionTimeout is an object; expected 0 or more'],
    [{ taskQueue: 5 }, 'taskQueue is 5; expected a string that is not empty.'],
    [{ cronSchedule: 5 }, 'cronSchedule is 5; expected a cron string'],
    [{ cronSchedule: 'x' }, 'the start was refused, and nothing was started: '],
    [{ retry: 'abc' }, 'retry is "abc"; expected an object.'],
    [{ retry: { maximumAttempts: 1.5 } }, 'retry.maximumAttempts is 1.5; expected a whole number'],
    [{ retry: { initialInterval: 'soon' } }, 'retry.initialInterval is "soon"; expected'],
    [{ workflowIdReusePolicy: 'abc' }, 'workflowIdReusePolicy is "abc"; expected ALLOW_DUPLICATE,'],
    [{ workflowIdConflictPolicy: 'x' }, 'workflowIdConflictPolicy is "x"; expected FAIL,'],
    [{ memo: [] }, 'memo is an array; expected an object.'],
    [{ searchAttributes: 5 }, 'searchAttributes is 5; expected an object.'],
    [{ typedSearchAttributes: 5 }, 'typedSearchAttributes is 5; expected TypedSearchAttributes'],
    [[], 'the options of start are an array; expected an object.'],
  ];
  for (const [options, message] of cases) {
    for (const method of ['start', 'execute'] as const) {
      const error = await rejection(flow[method](undefined, options));
      expect(error).toMatchObject({ code: 'WORKFLOW_OPTIONS_INVALID' });
      expect(error.message).toContain(`Workflow "flow": ${message}`);
    }
  }
  const options = {
    startDelay: '1ms',
    workflowRunTimeout: 0,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    retry: { maximumAttempts: 2, initialInterval: '2s' },
    memo: { by: 'ada' },
  } as const;
  expect(await flow.execute(undefined, options)).toBe(1);
});

it('an input of a workflow that cannot be written is refused with the reason', async () => {
  const flow = workflow({ name: 'flow' }, async (_ctx, input: unknown) => input);
  await running('memory', [flow]);
  const toJSON = (): never => {
    throw new RangeError('no JSON of me');
  };
  for (const [input, message] of [
    [{ toJSON }, 'cannot be serialised: '],
    [getterThrows(), 'cannot be serialised: input has a field that cannot be read: no x today'],
  ] as const) {
    const error = await rejection(flow.start(input));
    expect(error).toMatchObject({ code: 'WORKFLOW_INPUT_INVALID' });
    expect(error.message).toContain(message);
  }
});

it('options of steps, sleeps and signals that are none wait for corrected code', async () => {
  const stuck = async (name: string, make: () => unknown): Promise<string | undefined> => {
    const task = new AsyncTask<undefined, void>({
      name,
      task: async function* () {
        yield make();
      },
    });
    await running('memory', [task as AnyAsyncTask]);
    for await (const { error } of task.watch(await task.submit())) {
      if (error !== undefined) return error;
    }
    return undefined;
  };
  const call = (): number => 1;
  const expected = 'expected an object with';
  expect(await stuck('step-5', () => step('a', call, 5 as never))).toContain(
    `Step "a" of task "step-5": options is 5; ${expected} retryPolicy, timeouts, shielded`,
  );
  expect(await stuck('step-null', () => step('a', call, null as never))).toContain(
    `options is null; ${expected}`,
  );
  expect(await stuck('sleep-list', () => sleep(1, [] as never))).toContain(
    `options is an array; ${expected} key, shielded`,
  );
  expect(await stuck('signal-5', () => signal('s', 5 as never))).toContain(
    `options is 5; ${expected} key, shielded`,
  );
  expect(thrown(() => remoteJob(null as never).next())).toMatchObject({
    code: 'REMOTE_JOB_INVALID',
    message: 'remoteJob: the options are null; expected an object',
  });
});

it('progress that cannot be serialised is warned of by its name', async () => {
  const warnings: string[] = [];
  const warn: Logger['warn'] = (line) => void warnings.push(line);
  const task = new AsyncTask<undefined, number>({
    name: 'progress',
    task: async (_params, context) => {
      context.progress(1n);
      return 1;
    },
  });
  await running('memory', [task], { logger: { ...silent, warn } });
  expect(await task.result(await task.submit())).toBe(1);
  expect(warnings).toContain(
    'A heartbeat of a step was lost: what progress() was given cannot be serialised; give it what JSON can hold',
  );
});

it('a test environment and a history of the wrong kind are refused', async () => {
  const cases: [unknown, string][] = [
    [null, 'the options are null; expected an object'],
    [{ concurrency: -1 }, 'options.concurrency is -1; expected a whole number from 1 to 100000'],
    [{ concurrency: NaN }, 'options.concurrency is NaN; expected'],
    [{ concurrency: 'x' }, 'options.concurrency is "x"; expected a number of steps'],
    [{ logger: 5 }, 'options.logger has no method debug; expected debug, info, warn and error'],
    [{ dataConverter: 5 }, 'options.dataConverter is 5; expected'],
  ];
  for (const [options, message] of cases) {
    const error = await rejection(TestEnvironment.start([], options as never));
    expect(error).toMatchObject({ code: 'TEST_OPTIONS_INVALID' });
    expect(error.message).toContain(`TestEnvironment: ${message}`);
  }
  for (const history of [null, 'x']) {
    expect(thrown(() => historyToJson(history as never))).toMatchObject({
      code: 'REPLAY_HISTORY_INVALID',
    });
  }
});
