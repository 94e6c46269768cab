/** A field that nobody reads is refused where it is given, with the fields that are read. */
import { expect, it } from 'vitest';
import { AsyncTask, remoteJob, signal, sleep, step, type AnyAsyncTask } from '../../src/index.ts';
import { rejection, running } from './running-component.ts';

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

async function stuck(name: string, make: () => unknown): Promise<string | undefined> {
  const task = new AsyncTask<undefined, void>({
    name,
    task: async function* () {
      yield make();
    },
  });
  await running('memory', [task as AnyAsyncTask]);
  const id = await task.submit();
  for await (const { error } of task.watch(id)) if (error !== undefined) return error;
  return undefined;
}

it('options of a task, its schema and its retry policy are refused with the fields there are', () => {
  const task = async (): Promise<number> => 1;
  const cases: [object, string][] = [
    [{ retry: { maxRetries: 1 } }, 'Task "x": retry is no field of it; expected name, task, '],
    [{ schema: { param: 1 } }, 'schema.param is no field of it; expected params, result'],
    [{ retryPolicy: { nonRetryable: 'E' } }, 'nonRetryable is "E"; expected a list of error names'],
    [
      { retryPolicy: { nonRetryable: ['E', TypeError] } },
      'retryPolicy.nonRetryable[1] is a function; expected its name, "TypeError"',
    ],
  ];
  for (const [options, message] of cases) {
    const error = thrown(() => new AsyncTask({ name: 'x', task, ...options } as never));
    expect(error).toMatchObject({
      code: 'TASK_OPTIONS_INVALID',
      message: expect.stringContaining(message) as unknown,
    });
  }
});

it('an initial delay of 0 is at once', async () => {
  let tries = 0;
  const task = new AsyncTask({
    name: 'at-once',
    retryPolicy: { initialDelay: 0 },
    task: async () => {
      tries += 1;
      if (tries === 1) throw new TypeError('once more');
      return tries;
    },
  });
  expect(task.getRetryPolicy().initialDelay).toBe(1);
  await running('memory', [task]);
  expect(await task.result(await task.submit())).toBe(2);
});

it('options of submit, result and list are refused with the fields there are', async () => {
  const task = new AsyncTask({ name: 'typo', task: async () => 1 });
  await running('memory', [task]);
  expect(await rejection(task.submit(undefined, { taskID: 'a' } as never))).toMatchObject({
    code: 'SUBMIT_OPTIONS_INVALID',
    message:
      'options.taskID is no field of it; expected taskId, delay, memo, searchAttributes, tx.',
  });
  expect(await rejection(task.submit(undefined, 'a' as never))).toMatchObject({
    code: 'SUBMIT_OPTIONS_INVALID',
  });
  expect(await rejection(task.result('a', { timeOut: 1 } as never))).toMatchObject({
    code: 'SUBMIT_OPTIONS_INVALID',
    message: 'options.timeOut is no field of it; expected timeout, signal.',
  });
  expect(thrown(() => task.list({ state: 'failed' } as never))).toMatchObject({
    code: 'LIST_QUERY_INVALID',
    message: expect.stringContaining('state is no field of it; expected status, ') as unknown,
  });
});

it('options of cancel, terminate and stop are refused with the fields there are', async () => {
  const task = new AsyncTask({ name: 'ends', task: async () => 1 });
  const component = await running('memory', [task]);
  for (const method of ['cancel', 'terminate'] as const) {
    expect(await rejection(task[method]('a', { because: 'x' } as never))).toMatchObject({
      code: 'SUBMIT_OPTIONS_INVALID',
      taskId: 'a',
      message: 'options.because is no field of it; expected reason.',
    });
    expect(await rejection(task[method]('a', { reason: 5 } as never))).toMatchObject({
      code: 'SUBMIT_OPTIONS_INVALID',
      message: 'options.reason is 5; expected a string.',
    });
    expect(await rejection(task[method]('a', null as never))).toMatchObject({
      code: 'SUBMIT_OPTIONS_INVALID',
    });
  }
  expect(await rejection(component.stop({ grace: 5 } as never))).toMatchObject({
    code: 'COMPONENT_OPTIONS_INVALID',
    message: 'stop(): options.grace is no field of it; expected gracePeriod.',
  });
});

it('options of remoteJob are refused with the fields there are', () => {
  const job = { key: 'render', submit: () => 1, poll: () => ({ done: false }), every: 1 } as const;
  const cases: [object, string][] = [
    [{ retries: 3 }, 'retries is no field of it; expected key, submit, '],
    [{ webhook: { secret: 's', header: 'x' } }, 'webhook.header is no field of it'],
    [{ retryPolicy: { maxRetries: -1 } }, 'retryPolicy.maxRetries is -1; expected a whole number'],
    [{ retryPolicy: { tries: 1 } }, 'retryPolicy.tries is no field of it'],
  ];
  for (const [options, message] of cases) {
    const made = remoteJob({ ...job, timeout: '1m', ...options } as never);
    expect(thrown(() => made.next())).toMatchObject({
      code: 'REMOTE_JOB_INVALID',
      message: expect.stringContaining(`remoteJob "render": ${message}`) as unknown,
    });
  }
});

it('a memo that JSON would garble is refused with the place', async () => {
  const task = new AsyncTask({ name: 'memo', task: async () => 1 });
  await running('memory', [task]);
  const options = { taskId: 'memo', memo: { seen: { by: new Set() } } };
  expect(await rejection(task.submit(undefined, options))).toMatchObject({
    code: 'SUBMIT_OPTIONS_INVALID',
    message: expect.stringContaining('memo.seen.by is a Set') as unknown,
  });
  expect(await task.getStatus('memo')).toMatchObject({ status: 'not_found' });
});

it('a step, sleep or signal with a field that nobody reads waits for corrected code', async () => {
  const call = (): number => 1;
  const odd = { maxRetries: 3 } as object;
  const expected = 'maxRetries is no field of it; expected ';
  expect(await stuck('odd-step', () => step('a', call, odd))).toContain(
    `Step "a" of task "odd-step": ${expected}retryPolicy, timeouts, shielded`,
  );
  expect(await stuck('odd-raw', () => ({ key: 'a', call, ...odd }))).toContain(expected);
  expect(await stuck('odd-sleep', () => sleep(1, odd))).toContain(`${expected}key, shielded`);
  expect(await stuck('odd-signal', () => signal('s', odd))).toContain(`${expected}key, shielded`);
});
