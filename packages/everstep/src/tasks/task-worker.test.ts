import { defaultDataConverter, type LoadedDataConverter, type Payload } from '@temporalio/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HistoryMaker, payloadOf } from '../../test/histories/history-maker.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { ignore, resultOf, Shop, taskQueue } from '../../test/task-shop.ts';
import { ServiceError } from '../service/service-error.ts';
import type { StepContext } from './definition.ts';
import { longOf } from './int64.ts';
import { all, signal, sleep, step } from './steps.ts';

describe('a worker on an engine of its process', () => {
  it('runs a task from its submit to its result', async () => {
    const { shop, host } = await Shop.open();
    await shop.worker(host, [
      {
        task: async function* (params: { n: number }) {
          const [a, b] = yield* all([step('a', () => params.n), step('b', async () => 2)]);
          yield* sleep('1h');
          return a + b;
        },
      },
    ]);
    await shop.submit(host, 'sum', { n: 1 });
    await shop.world.clock.advance(3_600_001);
    expect(await resultOf(host, 'sum')).toBe(3);
    expect(shop.problems).toEqual([]);
  });

  it('lets a run keep its place from step to step while others wait for one (decision 10)', async () => {
    const shop = new Shop();
    onTestFinished(() => shop.world.close());
    const tap = new StoreTap();
    const host = await shop.world.host({ wrap: tap.wrap });
    const places = 3;
    const runs = 8;
    const task = async function* () {
      for (const key of ['a', 'b', 'c', 'd']) yield* step(key, async () => ignore());
    };
    await shop.worker(host, [{ task }], { concurrency: { steps: places } });
    for (let run = 0; run < runs; run += 1) await shop.submit(host, `r${run}`);
    await shop.settle();
    expect((await host.event(`r${runs - 1}`, 'WorkflowExecutionCompleted')).eventId).toBeDefined();
    // A start and four steps each; one more for each run that has to wait for its first place.
    expect(tap.commits).toBe(runs * 5 + (runs - places));
  });

  it('forgets a run that was idle for ten minutes, and drives it again from its history', async () => {
    const { shop, host } = await Shop.open();
    const worker = await shop.worker(host, [
      {
        task: async function* (params: { n: number }) {
          const first = yield* step('first', () => params.n);
          const more = yield* signal<number | undefined>('more');
          return [first, more ?? 'signalled'];
        },
      },
    ]);
    const idle = await shop.submit(host, 'idle', { n: 1 });
    await shop.world.clock.advance(9 * 60_000);
    const other = await shop.submit(host, 'other', { n: 2 });
    await shop.settle();
    expect(worker.heldUpTo(other)).toBeGreaterThan(0);
    await shop.world.clock.advance(60_000);
    await shop.submit(host, 'third', { n: 3 });
    await shop.settle();
    expect(worker.heldUpTo(idle)).toBeUndefined();
    expect(worker.heldUpTo(other)).toBeGreaterThan(0);
    await host.signal('idle', 'more');
    await shop.settle();
    expect(await resultOf(host, 'idle')).toEqual([1, 'signalled']);
    expect(shop.problems).toEqual([]);
  });

  it('finds the code of a step in the history when it holds the run no more', async () => {
    const { shop, host } = await Shop.open();
    const seen: string[] = [];
    const worker = await shop.worker(host, [
      {
        task: async function* () {
          const first = yield* step('first', () => 'x');
          yield* step('later', (activity) => {
            seen.push(`${first} ${activity.attempt}`);
            if (activity.attempt === 1) throw new TypeError('again');
          });
          return yield* signal('end');
        },
      },
    ]);
    const runId = await shop.submit(host, 'evicted');
    await shop.settle();
    expect(seen).toEqual(['x 1']);
    worker.evict(runId);
    await shop.world.clock.advance(1001);
    expect(seen).toEqual(['x 1', 'x 2']);
    worker.evict(runId);
    await host.signal('evicted', 'end');
    await shop.settle();
    expect(await host.status('evicted')).toBe('COMPLETED');
    expect(shop.problems).toEqual([]);
  });

  it('waits for a service that cannot give the history of a step, which uses up no attempt', async () => {
    const { shop, host } = await Shop.open();
    let refusals = 0;
    const service = new Proxy(host.service, {
      get: (target, name) => {
        if (name !== 'getWorkflowExecutionHistory' || refusals === 0) {
          return Reflect.get(target, name, target) as unknown;
        }
        refusals -= 1;
        return () => Promise.reject(new ServiceError({ code: 'UNAVAILABLE', message: 'Gone.' }));
      },
    });
    const attempts: number[] = [];
    const task = async function* () {
      yield* step('later', ({ attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new TypeError('again');
      });
    };
    const worker = await shop.worker(host, [{ task }], { service });
    const runId = await shop.submit(host, 'evicted');
    await shop.settle();
    expect(attempts).toEqual([1]);
    worker.evict(runId);
    refusals = 2;
    await shop.world.clock.advance(1_001);
    expect({ attempts, refusals }).toEqual({ attempts: [1], refusals: 1 });
    await shop.world.clock.advance(200);
    expect({ attempts, refusals }).toEqual({ attempts: [1, 2], refusals: 0 });
    expect(await host.status('evicted')).toBe('COMPLETED');
  });

  it('fails the workflow task of code that awaits what is no step, after 1 s', async () => {
    const { shop, host } = await Shop.open();
    await shop.worker(host, [
      {
        task: async function* () {
          yield* step('before', ignore);
          await new Promise(ignore);
        },
      },
    ]);
    await shop.submit(host, 'stalled');
    await shop.world.clock.advance(999);
    expect(shop.problems).toEqual([]);
    await shop.world.clock.advance(1);
    expect(shop.problems[0]?.message).toMatch(
      /awaits something that is no step, after the key "before"/,
    );
    expect(await host.status('stalled')).toBe('RUNNING');
    const failed = await host.event('stalled', 'WorkflowTaskFailed');
    expect(failed.workflowTaskFailedEventAttributes?.failure?.applicationFailureInfo?.type).toBe(
      'CODE_STALLED',
    );
  });

  it('tells a running step of the cancel at once, and answers that it was cancelled', async () => {
    const { shop, host } = await Shop.open();
    let told: unknown;
    await shop.worker(host, [
      {
        task: async function* () {
          try {
            yield* step('long', ({ signal: aborted }) => untilAborted(aborted));
          } catch (error) {
            yield* step('clean up', ignore, { shielded: true });
            throw error;
          }
        },
      },
    ]);
    async function untilAborted(aborted: AbortSignal): Promise<void> {
      await new Promise((_, reject) => {
        aborted.addEventListener('abort', () => {
          told = aborted.reason;
          reject(aborted.reason as Error);
        });
      });
    }
    await shop.submit(host, 'cancelled');
    await shop.settle();
    await host.cancel('cancelled');
    await shop.settle();
    expect(told).toMatchObject({ name: 'CancelledFailure' });
    expect(await host.status('cancelled')).toBe('CANCELED');
    expect(await host.names('cancelled')).toContain('ActivityTaskCancelRequested');
  });

  it('runs no more steps of a limited task at once than its limit, while others go on', async () => {
    const { shop, host } = await Shop.open();
    const open: (() => void)[] = [];
    let free = 0;
    await shop.worker(host, [
      {
        name: 'limited',
        limit: { concurrent: 2 },
        task: async () => {
          await new Promise<void>((resolve) => open.push(resolve));
        },
      },
      { name: 'free', task: async () => (free += 1) },
    ]);
    for (let index = 0; index < 5; index += 1) await shop.submit(host, `l${index}`, {}, 'limited');
    await shop.submit(host, 'f', {}, 'free');
    await shop.settle();
    expect([open.length, free]).toEqual([2, 1]);
    open[0]?.();
    await shop.settle();
    expect(open.length).toBe(3);
    for (let round = 1; round < 5; round += 1) {
      open[round]?.();
      await shop.settle();
    }
    expect(await host.status('l4')).toBe('COMPLETED');
  });

  it('starts no more steps of a limited task in a second than its limit', async () => {
    const { shop, host } = await Shop.open();
    const starts: number[] = [];
    await shop.worker(host, [
      {
        limit: { perSecond: 2 },
        task: async () => {
          starts.push(shop.world.clock.now);
        },
      },
    ]);
    for (let index = 0; index < 5; index += 1) await shop.submit(host, `r${index}`);
    await shop.world.clock.advance(5000);
    const from = starts[0] ?? 0;
    expect(starts.length).toBe(5);
    expect(starts.map((at) => Math.floor((at - from) / 1001))).toEqual([0, 0, 1, 1, 2]);
  });

  it('sends heartbeats at most every 200 ms, and the last of them', async () => {
    const { shop, host } = await Shop.open();
    let context: StepContext | undefined;
    let end = ignore;
    let sent = 0;
    const record = host.service.recordActivityTaskHeartbeat;
    host.service.recordActivityTaskHeartbeat = (request) => {
      sent += 1;
      return record(request);
    };
    await shop.worker(host, [
      {
        task: async function* () {
          yield* step('beats', async (activity) => {
            context = activity;
            await new Promise<void>((resolve) => (end = resolve));
          });
        },
      },
    ]);
    await shop.submit(host, 'beats');
    await shop.settle();
    for (let beat = 0; beat < 100; beat += 1) {
      context?.heartbeat({ beat });
      context?.progress(beat);
      await shop.world.clock.advance(10);
    }
    expect(sent).toBeLessThanOrEqual(6);
    await shop.world.clock.advance(200);
    const { pendingActivities } = await host.describe('beats');
    const [details, progress] = pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
    expect(Buffer.from(details?.data ?? '').toString()).toBe('{"beat":99}');
    expect(Buffer.from(progress?.data ?? '').toString()).toBe('99');
    end();
    await shop.settle();
    expect(await host.status('beats')).toBe('COMPLETED');
  });

  it('gives a step a key of its own that is the same in every attempt and after a reset', async () => {
    const { shop, host } = await Shop.open();
    const keys: string[] = [];
    await shop.worker(host, [
      {
        retryPolicy: { maxRetries: 1, initialDelay: 1 },
        task: async function* () {
          yield* step('pay', ({ idempotencyKey }) => {
            keys.push(idempotencyKey);
            if (keys.length < 3) throw new TypeError('down');
          });
        },
      },
    ]);
    const runId = await shop.submit(host, 'keys');
    await shop.world.clock.advance(10);
    expect(await host.status('keys')).toBe('FAILED');
    const names = await host.names('keys');
    await host.service.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: 'keys', runId },
      workflowTaskFinishEventId: longOf(names.lastIndexOf('WorkflowTaskCompleted') + 1),
      requestId: 'again',
    });
    await shop.world.clock.advance(10);
    expect(await host.status('keys')).toBe('COMPLETED');
    expect(keys).toEqual([1, 2, 3].map(() => `keys/${runId}/pay`));
  });

  it('drains when it stops, and hands back what does not end', async () => {
    const { shop, host } = await Shop.open();
    let end = ignore;
    let aborted = false;
    const worker = await shop.worker(host, [
      {
        task: async (params: { hangs: boolean }, activity: StepContext) => {
          activity.signal.addEventListener('abort', () => (aborted = true));
          await new Promise<void>((resolve) => {
            if (!params.hangs) end = resolve;
          });
        },
      },
    ]);
    await shop.submit(host, 'ends', { hangs: false });
    await shop.submit(host, 'hangs', { hangs: true });
    await shop.settle();
    const stopped = worker.stop(1000);
    await shop.settle();
    end();
    await shop.world.clock.advance(1000);
    await stopped;
    expect(aborted).toBe(true);
    expect(await host.names('ends')).toContain('ActivityTaskCompleted');
    const { pendingActivities } = await host.describe('hangs');
    expect(pendingActivities?.[0]?.attempt).toBe(1);
    await shop.submit(host, 'after');
    await shop.settle();
    expect(await host.names('after')).not.toContain('WorkflowTaskStarted');
  });

  it('answers queries, and says which there are', async () => {
    const { shop, host } = await Shop.open();
    await shop.worker(host, [
      {
        task: async function* () {
          yield* step('first', ignore);
          yield* signal('go');
        },
      },
    ]);
    await shop.submit(host, 'asked');
    await shop.settle();
    const query = (queryType: string) => {
      const answer = host.service.queryWorkflow({
        namespace: 'default',
        execution: { workflowId: 'asked' },
        query: { queryType },
      });
      return Promise.race([answer, shop.settle().then(() => answer)]);
    };
    const answered = await query('getProgress');
    const [payload] = answered.queryResult?.payloads ?? [];
    expect(JSON.parse(Buffer.from(payload?.data ?? '').toString())).toMatchObject({
      taskId: 'asked',
      status: 'processing',
      completedSteps: ['first'],
    });
    await expect(query('other')).rejects.toThrow(
      /has no query "other"; it answers getProgress, __stack_trace/,
    );
  });
});

describe('a worker that polls', () => {
  it('runs tasks through the public calls', async () => {
    const { shop, host } = await Shop.open();
    let attempts = 0;
    const worker = await shop.worker(
      host,
      [
        {
          retryPolicy: { initialDelay: 10 },
          task: async function* (params: { n: number }) {
            const value = yield* step('double', () => {
              attempts += 1;
              if (attempts === 1) throw new TypeError('again');
              return params.n * 2;
            });
            return value;
          },
        },
      ],
      { local: undefined },
    );
    await shop.submit(host, 'polled', { n: 4 });
    await shop.world.clock.advance(5000);
    expect(await resultOf(host, 'polled')).toBe(8);
    void worker.stop(0);
    await shop.world.clock.advance(100_000);
  });
});

describe('payload codecs', () => {
  it('stand between the service and everything that the runtime sees', async () => {
    const flip = (payload: Payload): Payload => ({
      ...payload,
      data: Uint8Array.from(payload.data ?? [], (byte) => byte ^ 1),
    });
    const dataConverter: LoadedDataConverter = {
      ...defaultDataConverter,
      payloadCodecs: [
        {
          encode: async (payloads) => payloads.map(flip),
          decode: async (payloads) => payloads.map(flip),
        },
      ],
    };
    const { shop, host } = await Shop.open();
    await shop.worker(
      host,
      [
        {
          task: async function* (params: { n: number }) {
            return yield* step('add', () => params.n + 1);
          },
        },
      ],
      { dataConverter },
    );
    await host.start('coded', {
      workflowType: { name: 'asyncTask_task' },
      taskQueue: { name: taskQueue },
      input: { payloads: [flip(payloadOf({ n: 41 }))] },
    });
    await shop.world.clock.advance(1);
    const closed = await host.event('coded', 'WorkflowExecutionCompleted');
    const [payload] = closed.workflowExecutionCompletedEventAttributes?.result?.payloads ?? [];
    expect(Buffer.from(flip(payload ?? {}).data ?? '').toString()).toBe('42');
    expect(shop.problems).toEqual([]);
  });

  it('leave nothing of a run that was to be forgotten while its events were decoded (decision 10)', async () => {
    let decodeOn: () => void = ignore;
    const decoding = new Promise<void>((resolve) => {
      decodeOn = resolve;
    });
    const dataConverter: LoadedDataConverter = {
      ...defaultDataConverter,
      payloadCodecs: [
        {
          encode: async (payloads) => payloads,
          decode: async (payloads) => {
            await decoding;
            return payloads;
          },
        },
      ],
    };
    const { shop, host } = await Shop.open();
    const task = async function* () {
      yield* step('a', ignore);
    };
    const worker = await shop.worker(host, [{ task }], { dataConverter });
    const drive = (runId: string) => {
      const history = new HistoryMaker({}, taskQueue);
      return worker.driveWorkflowTask({
        workflowExecution: { workflowId: runId, runId },
        workflowType: { name: 'asyncTask_task' },
        startedEventId: longOf(history.startWorkflowTask()),
        history: { events: history.events },
      });
    };
    const driven = [drive('kept'), drive('forgotten')];
    worker.evict('forgotten');
    decodeOn();
    const outcomes = await Promise.all(driven);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'completed']);
    expect(worker.heldUpTo('kept')).toBe(3);
    expect(worker.heldUpTo('forgotten')).toBeUndefined();
  });
});
