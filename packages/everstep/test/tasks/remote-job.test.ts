import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ActivityFailure,
  ApplicationFailure,
  all,
  AsyncTask,
  remoteJob,
  type RemoteJobOptions,
} from '../../src/index.ts';
import { rejection, running, storeKinds } from './running-component.ts';

/** A provider whose jobs are done at their third poll. */
class Provider {
  readonly submits: string[] = [];
  readonly polls: string[] = [];

  submit(idempotencyKey: string): string {
    this.submits.push(idempotencyKey);
    return `job-${this.submits.length}`;
  }

  isDone(job: string): boolean {
    this.polls.push(job);
    return this.polls.length >= 3;
  }
}

function renders(
  provider: Provider,
  over: Partial<RemoteJobOptions<string, string>> = {},
): AsyncTask<undefined, string> {
  return new AsyncTask<undefined, string>({
    name: 'renders',
    retryPolicy: { initialDelay: 1 },
    task: async function* () {
      return yield* remoteJob({
        key: 'render',
        submit: ({ idempotencyKey }) => provider.submit(idempotencyKey),
        poll: (job) =>
          provider.isDone(job) ? { done: true, value: `${job} done` } : { done: false },
        every: 1,
        timeout: '1m',
        ...over,
      });
    },
  });
}

describe.each(storeKinds)('a remote job on the %s store', (kind) => {
  it('is submitted once and polled until it is done', async () => {
    const provider = new Provider();
    const task = renders(provider);
    await running(kind, [task]);
    const id = await task.submit(undefined);
    expect(await task.result(id)).toBe('job-1 done');
    expect(provider.submits).toHaveLength(1);
    expect(provider.polls).toEqual(['job-1', 'job-1', 'job-1']);
    expect(await task.getStatus(id)).toMatchObject({
      status: 'completed',
      completedSteps: ['render'],
      attempts: 3,
    });
  });

  it('is looked up before it is submitted, and an error of a poll is tried again', async () => {
    const provider = new Provider();
    let polls = 0;
    const task = renders(provider, {
      lookup: () => 'job-of-before',
      poll: (job) => {
        polls += 1;
        if (polls === 1) throw new TypeError('500');
        return { done: true, value: job };
      },
    });
    await running(kind, [task]);
    expect(await task.result(await task.submit(undefined))).toBe('job-of-before');
    expect(provider.submits).toEqual([]);
  });

  it('waits as long as Retry-After says, and shows when it is polled again', async () => {
    const task = renders(new Provider(), { poll: () => ({ done: false, retryAfter: '3600' }) });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    for await (const status of task.watch(id)) {
      if (status.nextRetryAt === undefined) continue;
      expect(status).toMatchObject({ status: 'processing', currentStep: 'render' });
      expect(status.error).toBeUndefined();
      expect(status.nextRetryAt - Date.now()).toBeGreaterThan(3_500_000);
      break;
    }
  });

  it('polls at once when a signed webhook comes in, and refuses an unsigned one', async () => {
    let ready = false;
    const task = renders(new Provider(), {
      every: '1h',
      timeout: '2h',
      poll: (job) => (ready ? { done: true, value: job } : { done: false }),
      webhook: { secret: 's3cret' },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    for await (const { nextRetryAt } of task.watch(id)) if (nextRetryAt !== undefined) break;
    const body = Buffer.from('{"state":"done"}');
    const signature = createHmac('sha256', 's3cret').update(body).digest('hex');
    const forged = { secret: 's3cret', body: '{"state":"other"}', signature };
    expect(await rejection(task.webhook(id, 'render', forged))).toMatchObject({
      code: 'WEBHOOK_REFUSED',
      taskId: id,
    });
    ready = true;
    await task.webhook(id, 'render', { secret: 's3cret', body, signature });
    expect(await task.result(id)).toBe('job-1');
    expect((await task.getStatus(id)).completedSteps).toEqual(['render']);
    const late = await rejection(
      task
        .webhook(id, 'render', { secret: 's3cret', body, signature })
        .then(() => task.webhook('nobody', 'render', { secret: 's3cret', body, signature })),
    );
    expect(['TASK_ALREADY_ENDED', 'TASK_NOT_FOUND']).toContain(late.code);
  });

  it('takes equal webhooks for two keys, and the right one after one of another secret', async () => {
    const ready = new Set<string>();
    const job = (key: string) =>
      remoteJob({
        key,
        submit: () => key,
        poll: (id) => (ready.has(id) ? { done: true, value: id } : { done: false }),
        every: '1h',
        timeout: '2h',
        webhook: { secret: `secret of ${key}` },
      });
    const task = new AsyncTask({
      name: 'twoJobs',
      task: async function* () {
        return yield* all([job('left'), job('right')]);
      },
    });
    await running(kind, [task]);
    const id = await task.submit(undefined);
    const body = '{"status":"done"}';
    const send = (key: string, secret: string) =>
      task.webhook(id, key, {
        secret,
        body,
        signature: createHmac('sha256', secret).update(body).digest('hex'),
      });
    for await (const { nextRetryAt } of task.watch(id)) if (nextRetryAt !== undefined) break;
    for (const key of ['left', 'right']) {
      ready.add(key);
      await send(key, 'of somebody else');
      await send(key, `secret of ${key}`);
      await send(key, `secret of ${key}`);
    }
    expect(await task.result(id)).toEqual(['left', 'right']);
  });

  it('fails when it is not done in time, and at once when the provider says so', async () => {
    const slow = renders(new Provider(), { poll: () => ({ done: false }), timeout: 30 });
    const component = await running(kind, [slow]);
    const error = await rejection(slow.result(await slow.submit(undefined)));
    expect(error).toMatchObject({ code: 'TASK_FAILED' });
    expect(error.cause).toBeInstanceOf(ActivityFailure);
    await component.stop();
    const refused = renders(new Provider(), {
      poll: () => {
        throw ApplicationFailure.nonRetryable('content policy');
      },
    });
    await running(kind, [refused]);
    const refusal = await rejection(refused.result(await refused.submit(undefined)));
    expect(refusal.message).toContain('content policy');
  });
});

it('names the option of a remote job that cannot be', () => {
  const good = {
    key: 'k',
    submit: () => 'j',
    poll: () => ({ done: false }) as const,
    every: 1,
    timeout: 1,
  };
  const cases: [object, string][] = [
    [{ key: 'a#b' }, 'remoteJob "a#b": key is "a#b"; expected a name without "#"'],
    [{ poll: 7 }, 'remoteJob "k": poll is 7; expected a function'],
    [{ every: 0 }, 'remoteJob "k": every is 0, which is out of range; expected more than 0'],
    [{ timeout: 'soon' }, 'remoteJob "k": timeout is "soon"; expected more than 0'],
    [{ webhook: null }, 'remoteJob "k": webhook has no secret; expected { secret: string }'],
    [{ webhook: {} }, 'remoteJob "k": webhook has no secret; expected { secret: string }'],
  ];
  for (const [over, message] of cases) {
    const options = { ...good, ...over } as RemoteJobOptions<string, string>;
    expect(() => remoteJob(options).next()).toThrow(message);
  }
});

it('a remote job with options that cannot be waits for corrected code', async () => {
  const task = renders(new Provider(), { every: 'soon' as never });
  await running('memory', [task]);
  const id = await task.submit(undefined);
  for await (const { status, error } of task.watch(id)) {
    expect(status).toBe('pending');
    if (error === undefined) continue;
    expect(error).toContain('remoteJob "render": every is "soon"; expected more than 0');
    break;
  }
});

it('a remote job has a retry policy of its own for its submit', async () => {
  let submits = 0;
  const task = renders(new Provider(), {
    retryPolicy: { maxRetries: 5, initialDelay: 1, nonRetryable: ['RangeError'] },
    submit: () => {
      submits += 1;
      if (submits < 6) throw new TypeError('once more');
      return 'job';
    },
  });
  await running('memory', [task]);
  expect(await task.result(await task.submit(undefined))).toBe('job done');
  expect(submits).toBe(6);
});

it('a remote job ends with an error of its poll that its policy does not retry', async () => {
  let polls = 0;
  const task = renders(new Provider(), {
    retryPolicy: { nonRetryable: ['RangeError'], initialDelay: 2, maxDelay: 2 },
    poll: () => {
      polls += 1;
      throw polls < 3 ? new TypeError('passing') : new RangeError('for good');
    },
  });
  await running('memory', [task]);
  const error = await rejection(task.result(await task.submit(undefined)));
  expect(error).toMatchObject({ code: 'TASK_FAILED' });
  expect(error.message).toContain('for good');
  expect(polls).toBe(3);
});
