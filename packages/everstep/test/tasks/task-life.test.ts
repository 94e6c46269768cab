import { describe, expect, it } from 'vitest';
import {
  all,
  ApplicationFailure,
  AsyncTask,
  CancelledFailure,
  signal,
  sleep,
  step,
  type TaskStatus,
} from '../../src/index.ts';
import { grpcCodeOf } from '../../src/tasks/task-client.ts';
import { gate, places, rejection, running } from './running-component.ts';

/** gRPC's status of a call that a server does not know. */
const unimplemented = 12;

describe.each(places)('a task on %s', (kind) => {
  it('of one function runs as one step and gives its result', async () => {
    const task = new AsyncTask({
      name: 'double',
      task: async ({ n }: { n: number }) => ({ n: n * 2 }),
    });
    await running(kind, [task]);
    const id = await task.submit({ n: 21 });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await task.result(id)).toEqual({ n: 42 });
    expect(await task.getStatus(id)).toMatchObject({
      taskId: id,
      status: 'completed',
      result: { n: 42 },
      attempts: 1,
    });
  });

  it('of many steps shows them in the order of their completion', async () => {
    const task = new AsyncTask({
      name: 'many',
      task: async function* ({ n }: { n: number }) {
        const one = yield* step('one', () => n + 1);
        yield* sleep(1);
        const [a, b] = yield* all([step('a', () => one * 2), step('b', async () => one * 3)]);
        const last: number = yield { key: 'last', call: () => a + b };
        return last;
      },
    });
    await running(kind, [task]);
    const id = await task.submit({ n: 1 });
    expect(await task.result(id)).toBe(10);
    const status = await task.getStatus(id);
    expect(status.completedSteps?.toSorted()).toEqual(['a', 'b', 'last', 'one']);
    expect(status.completedSteps?.[0]).toBe('one');
    expect(status.completedSteps?.at(-1)).toBe('last');
    expect(status.createdAt).toBeLessThanOrEqual(status.startedAt ?? 0);
    expect(status.startedAt).toBeLessThanOrEqual(status.completedAt ?? 0);
  });

  it('is pending without a worker and not found under an id that nobody gave', async () => {
    const task = new AsyncTask({ name: 'waits', task: async () => 1 });
    await running(kind, [task], { worker: false });
    const id = await task.submit(undefined);
    expect(await task.getStatus(id)).toMatchObject({ status: 'pending', completedSteps: [] });
    expect(await task.getStatus('nobody')).toEqual({
      taskId: 'nobody',
      status: 'not_found',
      createdAt: 0,
    });
    const late = await rejection(task.result(id, { timeout: 10 }));
    expect(late).toMatchObject({ code: 'RESULT_TIMEOUT', taskId: id });
    expect(late.message).toContain('its status is pending');
    expect(await rejection(task.result('nobody'))).toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('shows the current step and its progress while it runs', async () => {
    const [started, finish] = [gate(), gate()];
    const task = new AsyncTask({
      name: 'progress',
      task: async function* () {
        yield* step('long', async (activity) => {
          activity.progress({ percent: 40 });
          started.open();
          await finish.opened;
        });
      },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    await started.opened;
    let shown: TaskStatus<void> | undefined;
    for await (const status of task.watch(id)) {
      shown = status;
      if (status.progress !== undefined) break;
    }
    expect(shown).toMatchObject({
      status: 'processing',
      currentStep: 'long',
      attempts: 1,
      progress: { percent: 40 },
    });
    finish.open();
    await task.result(id);
  });

  it('retries a step by its policy, and fails with the failure and its cause', async () => {
    let calls = 0;
    const task = new AsyncTask({
      name: 'fails',
      retryPolicy: { maxRetries: 2, initialDelay: 1 },
      task: async function* () {
        yield* step('bad', () => {
          calls += 1;
          throw new TypeError('the provider said no');
        });
      },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    const error = await rejection(task.result(id));
    expect(calls).toBe(3);
    expect(error).toMatchObject({ code: 'TASK_FAILED', taskId: id });
    expect(error.message).toContain('the provider said no');
    expect(error.cause).toBeInstanceOf(Error);
    const status = await task.getStatus(id);
    expect(status).toMatchObject({ status: 'failed', error: 'the provider said no', attempts: 3 });
    expect(JSON.stringify(status.failure)).toContain('TypeError');
  });

  it('goes on from its first unfinished step when it is retried', async () => {
    const calls: string[] = [];
    let broken = true;
    const task = new AsyncTask({
      name: 'again',
      task: async function* () {
        const first = yield* step('first', () => {
          calls.push('first');
          return 'kept';
        });
        const second = yield* step('second', () => {
          calls.push('second');
          if (broken) throw ApplicationFailure.nonRetryable('not today');
          return first + '!';
        });
        return second;
      },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    await rejection(task.result(id));
    broken = false;
    await task.retry(id);
    expect(await task.result(id)).toBe('kept!');
    expect(calls).toEqual(['first', 'second', 'second']);
    expect(await task.getStatus(id)).toMatchObject({
      status: 'completed',
      completedSteps: ['first', 'second'],
    });
    const done = await rejection(task.retry(id));
    expect(done).toMatchObject({ code: 'TASK_NOT_RETRYABLE' });
    expect(done.message).toContain('has completed');
    expect(await rejection(task.retry('nobody'))).toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is cancelled through the signal of its running step, and may clean up', async () => {
    const started = gate();
    let cleaned = false;
    const task = new AsyncTask({
      name: 'cancelled',
      task: async function* () {
        try {
          yield* step('long', async (activity) => {
            started.open();
            await new Promise((_resolve, reject) => {
              activity.signal.addEventListener('abort', () => reject(activity.signal.reason));
            });
          });
        } finally {
          yield* step('clean', () => void (cleaned = true), { shielded: true });
        }
      },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    await started.opened;
    await task.cancel(id, { reason: 'wrong customer' });
    const error = await rejection(task.result(id));
    expect(error).toMatchObject({ code: 'TASK_CANCELLED' });
    expect(error.message).toBe(`Task ${id} was cancelled: wrong customer`);
    expect(error.cause).toBeInstanceOf(CancelledFailure);
    expect(cleaned).toBe(true);
    expect(await task.getStatus(id)).toMatchObject({
      status: 'cancelled',
      error: 'wrong customer',
      failure: { name: 'CancelledFailure', message: 'wrong customer' },
    });
    await task.cancel(id);
    expect(await rejection(task.terminate(id))).toMatchObject({ code: 'TASK_ALREADY_ENDED' });
    expect(await rejection(task.cancel('nobody'))).toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('that was cancelled is retried from where the cancel found it', async () => {
    const started = gate();
    const calls: string[] = [];
    let wait = true;
    const task = new AsyncTask({
      name: 'uncancelled',
      task: async function* () {
        const kept = yield* step('first', () => {
          calls.push('first');
          return 1;
        });
        return yield* step('second', async ({ signal: aborted }) => {
          calls.push('second');
          if (!wait) return kept + 1;
          started.open();
          return new Promise<number>((_resolve, reject) => {
            aborted.addEventListener('abort', () => reject(aborted.reason));
          });
        });
      },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    await started.opened;
    await task.cancel(id);
    await rejection(task.result(id));
    wait = false;
    await Promise.all([task.retry(id), task.retry(id)]);
    expect(await task.result(id)).toBe(2);
    expect(calls).toEqual(['first', 'second', 'second']);
    const first = await task.getStatus(id);
    expect(first.completedSteps).toEqual(['first', 'second']);
  });

  it('is terminated with a reason, and retried even if it had not begun', async () => {
    const task = new AsyncTask({ name: 'terminated', task: async () => 1 });
    const component = await running(kind, [task], { worker: false });
    expect(component.isStarted()).toBe(true);
    const id = await task.submit(undefined);
    await task.terminate(id, { reason: 'wrong customer' });
    expect(await task.getStatus(id)).toMatchObject({
      status: 'cancelled',
      error: 'wrong customer',
      failure: { name: 'TerminatedFailure', message: 'wrong customer' },
    });
    await task.retry(id);
    expect(await task.getStatus(id)).toMatchObject({ status: 'pending' });
  });

  it('takes a signal, and is watched to its end', async () => {
    const task = new AsyncTask({
      name: 'signalled',
      task: async function* () {
        const name = yield* step('ask', () => 'who');
        const answer = yield* signal<string>('answer');
        return `${name}: ${answer}`;
      },
    });
    const component = await running(kind, [task]);
    const id = await task.submit(undefined);
    const statuses: string[] = [];
    for await (const status of task.watch(id)) {
      statuses.push(status.status);
      if (status.completedSteps?.includes('ask') && status.status === 'processing') {
        await component.getClient().workflow.getHandle(id).signal('answer', 'me');
      }
    }
    expect(statuses.at(-1)).toBe('completed');
    expect(await task.result(id)).toBe('who: me');
    await expect(task.watch('nobody').next()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('is listed by status, name and time, page by page', async () => {
    // A server may hold tasks of other tests.
    const name = `good-${Date.now()}`;
    const good = new AsyncTask({ name, task: async () => 1 });
    const since = Date.now();
    const bad = new AsyncTask({
      name: 'bad',
      task: async () => Promise.reject(ApplicationFailure.nonRetryable('no')),
    });
    const component = await running(kind, [good, bad]);
    const ids = await Promise.all([1, 2, 3].map(() => good.submit(undefined)));
    const failed = await bad.submit(undefined);
    await Promise.all([...ids.map((id) => good.result(id)), rejection(bad.result(failed))]);
    const taskIds = async (list: AsyncIterable<{ taskId: string }>): Promise<string[]> => {
      const found: string[] = [];
      for await (const { taskId } of list) found.push(taskId);
      return found.toSorted();
    };
    expect(await taskIds(good.list({ pageSize: 2 }))).toEqual(ids.toSorted());
    expect(await taskIds(good.list({ status: 'failed' }))).toEqual([]);
    expect(await taskIds(good.list({ status: 'failed', name: '*', since }))).toEqual([failed]);
    expect(await taskIds(good.list({ since: Date.now() + 60_000 }))).toEqual([]);
    expect(await taskIds(good.list({ since: Date.now() - 60_000 }))).toEqual(ids.toSorted());
    expect(
      await taskIds(good.list(`WorkflowType = 'asyncTask_bad' AND WorkflowId = '${failed}'`)),
    ).toEqual([failed]);
    const { tasks, nextPageToken } = await good.list({ pageSize: 2 }).page();
    expect(tasks).toHaveLength(2);
    expect(tasks[0]).toMatchObject({ name, status: 'completed' });
    expect((await good.list({ pageSize: 2 }).page(nextPageToken)).tasks).toHaveLength(1);
    expect(await rejection(taskIds(good.list('Nonsense ===')))).toMatchObject({
      code: 'LIST_QUERY_INVALID',
    });
    expect(component.isStarted()).toBe(true);
  });

  it('is listed as running while it is paused', async (context) => {
    const task = new AsyncTask({ name: 'paused', task: async () => 1 });
    const component = await running(kind, [task]);
    const ids = await Promise.all([1, 2].map(() => task.submit(undefined, { delay: '1h' })));
    const { options, workflowService } = component.getClient();
    const { namespace } = options;
    const pausing = workflowService.pauseWorkflowExecution({ namespace, workflowId: ids[0] ?? '' });
    await pausing.catch((error: unknown) => {
      context.skip(grpcCodeOf(error) === unimplemented, 'this server cannot pause a run');
      throw error;
    });
    const { tasks, nextPageToken = '' } = await task.list({ status: 'running' }).page();
    const rest = await task.list({ status: 'running' }).page(nextPageToken);
    const listed = [...tasks, ...rest.tasks];
    expect(listed.map(({ taskId, status }) => [taskId, status])).toEqual([
      [ids[1], 'running'],
      [ids[0], 'running'],
    ]);
  });

  it('waits for its delay', async () => {
    const task = new AsyncTask({ name: 'delayed', task: async () => 1 });
    await running(kind, [task]);
    const id = await task.submit(undefined, { delay: '1h', memo: { customer: 7 } });
    expect(await rejection(task.result(id, { timeout: 30 }))).toMatchObject({
      code: 'RESULT_TIMEOUT',
    });
    expect(await task.getStatus(id)).toMatchObject({ status: 'pending' });
  });

  it('is cancelled in its delay, also where its code would not take its parameters', async () => {
    const task = new AsyncTask({
      name: 'picky',
      task: function* ({ url }: { url: string }) {
        return yield* step('load', () => url);
      },
    });
    await running(kind, [task]);
    const none = undefined as unknown as { url: string };
    expect(await rejection(task.result(await task.submit(none)))).toMatchObject({
      code: 'TASK_FAILED',
    });
    const id = await task.submit(none, { delay: '1h' });
    await task.cancel(id, { reason: 'not needed' });
    await rejection(task.result(id));
    expect(await task.getStatus(id)).toMatchObject({ status: 'cancelled', error: 'not needed' });
  });
});

it('a step is told the id of its task', async () => {
  const task = new AsyncTask({
    name: 'named',
    task: function* () {
      return yield* step('who', ({ taskId }) => taskId);
    },
  });
  await running('memory', [task]);
  expect(await task.result(await task.submit(undefined, { taskId: 'order-7' }))).toBe('order-7');
});

it('a timeout is told with its span, to the code and to whoever asks', async () => {
  let caught: unknown;
  const task = new AsyncTask({
    name: 'slow',
    retryPolicy: { maxRetries: 0 },
    timeouts: { startToClose: 20 },
    task: function* () {
      try {
        yield* step('wait', () => new Promise(() => undefined));
      } catch (error) {
        caught = error;
        throw error;
      }
    },
  });
  await running('memory', [task]);
  const id = await task.submit(undefined);
  const words = 'Step "wait" timed out after 20 ms (startToClose)';
  expect((await rejection(task.result(id))).message).toBe(`Task ${id} failed: ${words}.`);
  expect((await task.getStatus(id)).error).toBe(`${words}.`);
  expect(caught).toMatchObject({ message: words });
});
