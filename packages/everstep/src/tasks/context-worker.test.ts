import { defaultDataConverter, type LoadedDataConverter, type Payload } from '@temporalio/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Host } from '../../test/engine-host.ts';
import { World } from '../../test/engine-world.ts';
import { payloadOf } from '../../test/histories/history-maker.ts';
import { StoreTap } from '../../test/store-tap.ts';
import type { Logger } from '../service/logger.ts';
import { MemoryData } from '../store/memory/memory-data.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { TaskWorker } from './task-worker.ts';
import type { TaskWorkerOptions } from './task-worker-options.ts';
import { workflow, type WorkflowDefinition } from './workflow.ts';
import type { WorkflowContext } from './workflow-context.ts';

const taskQueue = 'async-tasks';
const minute = 60_000;
const ignore = (): void => undefined;
const nothing = () => undefined;

// oxlint-disable-next-line typescript/no-explicit-any -- any input
type Code = (ctx: WorkflowContext, input: any) => Promise<unknown>;

class Place {
  readonly world: World;
  readonly problems: string[] = [];
  readonly #logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message) => {
      this.problems.push(message);
    },
  };

  constructor() {
    const data = new MemoryData();
    this.world = new World({
      handle: () => new MemoryStore({ data }),
      durable: true,
      clean: () => undefined,
    });
    onTestFinished(() => this.world.close());
  }

  /** A worker that knows that code as `flow`, and what else is defined. */
  async worker(
    host: Host,
    code: Code,
    options: Partial<TaskWorkerOptions> = {},
    others: readonly WorkflowDefinition[] = [],
  ): Promise<TaskWorker> {
    const worker = new TaskWorker({
      service: host.service,
      local: host.service,
      tasks: [workflow({ name: 'flow' }, code).definition, ...others],
      namespace: 'default',
      identity: 'worker',
      taskQueue,
      clock: this.world.clock.view(),
      random: { next: () => 0.5, uuid: () => this.world.uuid() },
      logger: this.#logger,
      dataConverter: defaultDataConverter,
      ...options,
    });
    await worker.start();
    return worker;
  }

  start(host: Host, workflowId: string, input: unknown = {}): Promise<string> {
    return host.start(workflowId, {
      workflowType: { name: 'flow' },
      taskQueue: { name: taskQueue },
      input: { payloads: [payloadOf(input)] },
    });
  }
}

async function resultOf(host: Host, workflowId: string): Promise<unknown> {
  const closed = await host.event(workflowId, 'WorkflowExecutionCompleted');
  const payload = closed.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0];
  return payload?.data ? JSON.parse(Buffer.from(payload.data).toString()) : undefined;
}

describe('a workflow on an engine of its process', () => {
  it('costs one commit a step', async () => {
    const place = new Place();
    const tap = new StoreTap();
    const host = await place.world.host({ wrap: tap.wrap });
    await place.worker(
      host,
      async (ctx) => {
        await ctx.step('a', nothing);
        await ctx.executeActivity('b', 1).catch(nothing);
        for (let at = 0; at < 20; at += 1) await Promise.resolve();
        await ctx.step('c', async () => 'c');
        return 'done';
      },
      { activities: [] },
    );
    const before = tap.commits;
    await place.start(host, 'cheap');
    await place.world.clock.advance(60_000);
    expect(await resultOf(host, 'cheap')).toBe('done');
    // The start with the first step; each step with the next; the attempts of the unknown activity.
    const attempts = 4;
    expect(tap.commits - before).toBe(1 + 2 + 2 * attempts - 1);
    expect(place.problems).toEqual([]);
  });

  it('waits, and comes to the deadline when nothing came', async () => {
    const place = new Place();
    const host = await place.world.host();
    await place.worker(host, async (ctx) => {
      let approved = false;
      ctx.onSignal('approve', () => {
        approved = true;
      });
      const begun = ctx.now();
      const inTime = await ctx.condition(() => approved, '20 minutes');
      return [inTime, Math.round((ctx.now() - begun) / minute)];
    });
    await place.start(host, 'late');
    await place.start(host, 'early');
    await place.world.clock.advance(10 * minute);
    await host.signal('early', 'approve');
    await place.world.clock.advance(11 * minute);
    expect(await resultOf(host, 'early')).toEqual([true, 10]);
    expect(await resultOf(host, 'late')).toEqual([false, 20]);
  });

  it('goes on with few runs held live, from their histories', async () => {
    const place = new Place();
    const host = await place.world.host();
    await place.worker(
      host,
      async (ctx, n: number) => {
        const drawn = ctx.random();
        const steps: unknown[] = [];
        for (let at = 0; at < 3; at += 1) steps.push(await ctx.step('work', () => n + at));
        await ctx.sleep(10);
        return [...steps, drawn === (await ctx.step('drawn', () => drawn))];
      },
      { liveRunsMax: 1 },
    );
    for (let n = 0; n < 5; n += 1) await place.start(host, `w-${n}`, n * 10);
    await place.world.clock.advance(1000);
    for (let n = 0; n < 5; n += 1) {
      expect(await resultOf(host, `w-${n}`)).toEqual([n * 10, n * 10 + 1, n * 10 + 2, true]);
    }
    expect(place.problems).toEqual([]);
  });

  it('works by polling, where its engine is not in the process', async () => {
    const place = new Place();
    const host = await place.world.host();
    const worker = await place.worker(
      host,
      async (ctx, n: number) => (await ctx.executeActivity(addOne, n)) * 2,
      { local: undefined },
    );
    await place.start(host, 'polled', 3);
    await place.world.clock.advance(5000);
    expect(await resultOf(host, 'polled')).toBe(8);
    void worker.stop(0);
    await place.world.clock.advance(100_000);
  });

  it('sends and reads through payload codecs', async () => {
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
    const place = new Place();
    const host = await place.world.host();
    const child = workflow({ name: 'child' }, async (ctx, n: number) => {
      const memo = ctx.info.memo['of'];
      return `${String(memo)} ${n} ${await ctx.awaitSignal<string>('say')}`;
    });
    await place.worker(
      host,
      async (ctx, n: number) => {
        if (n < 41) return ctx.continueAsNew(n + 1);
        const started = await ctx.startChildWorkflow(child, 3, { memo: { of: 'memo' } });
        await started.signal('say', 'hello');
        const sum = await ctx.executeActivity(addOne, n);
        return [sum, ctx.patched('x'), await started.result()];
      },
      { dataConverter },
      [child.definition],
    );
    await host.start('coded', {
      workflowType: { name: 'flow' },
      taskQueue: { name: taskQueue },
      input: { payloads: [flip(payloadOf(40))] },
    });
    await place.world.clock.advance(1000);
    const closed = await host.event('coded', 'WorkflowExecutionCompleted');
    const [payload] = closed.workflowExecutionCompletedEventAttributes?.result?.payloads ?? [];
    const result: unknown = JSON.parse(Buffer.from(flip(payload ?? {}).data ?? '').toString());
    expect(result).toEqual([42, true, 'memo 3 hello']);
    const plain = JSON.stringify(await host.history('coded'), (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    expect(plain).not.toContain('hello');
    expect(place.problems).toEqual([]);
  });
});

describe('code that awaits something else', () => {
  it('fails the workflow task after a second, and goes on with corrected code', async () => {
    const place = new Place();
    place.world.expectsErrors = true;
    const host = await place.world.host();
    let code: Code = async (ctx) => {
      await ctx.step('fetch', nothing);
      await new Promise(ignore);
    };
    await place.worker(host, (ctx, input) => code(ctx, input));
    await place.start(host, 'stalled');
    await place.world.clock.advance(999);
    expect(place.problems).toEqual([]);
    await place.world.clock.advance(2);
    expect(place.problems[0]).toMatch(
      /^Workflow "flow" awaits something that is no promise of its context, after the key "fetch", at .*context-worker\.test\.ts:\d+:\d+, since 1000 ms/,
    );
    const failed = await host.event('stalled', 'WorkflowTaskFailed');
    expect(failed.workflowTaskFailedEventAttributes?.failure?.applicationFailureInfo?.type).toBe(
      'CODE_STALLED',
    );
    expect(await host.status('stalled')).toBe('RUNNING');
    code = async (ctx) => {
      await ctx.step('fetch', nothing);
      return 'corrected';
    };
    await place.world.clock.advance(60_000);
    expect(await resultOf(host, 'stalled')).toBe('corrected');
  });

  it('is thrown away when it comes back from elsewhere, and begins again from its history', async () => {
    const place = new Place();
    const host = await place.world.host();
    let goElsewhere = true;
    await place.worker(host, async (ctx) => {
      const elsewhere = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        await ctx.step('elsewhere', nothing);
      };
      await Promise.all([ctx.sleep('1h'), goElsewhere ? elsewhere() : 0]);
      return 'done';
    });
    await place.start(host, 'away');
    await place.world.clock.advance(0);
    expect(place.problems).toEqual([
      expect.stringContaining('asked for step "elsewhere" while no event of its history'),
    ]);
    goElsewhere = false;
    await place.world.clock.advance(3_600_001);
    expect(await resultOf(host, 'away')).toBe('done');
  });
});

describe('a process that dies', () => {
  const contest: Code = async (ctx) => {
    const order: string[] = [];
    const seen = async (name: string, promise: Promise<unknown>) => {
      await promise;
      order.push(name);
      return name;
    };
    const branches = [
      seen('sleep', ctx.sleep(5, { key: 'sleep' })),
      seen('go', ctx.awaitSignal('go')),
      seen('work', ctx.step('work', nothing)),
      seen('child', ctx.executeChildWorkflow('child', 1)),
    ];
    const first = await ctx.race(branches);
    await ctx.step(`after ${first}`, nothing);
    await Promise.all(branches);
    return order;
  };
  const child = workflow({ name: 'child' }, async (ctx) => ctx.sleep(3));

  /** Lives until that commit, which is lost with the process or is its last; then another process goes on. */
  async function lived(dieAt: number, isWritten: boolean): Promise<{ died: boolean }> {
    const place = new Place();
    place.world.expectsErrors = true;
    const tap = new StoreTap();
    const first = await place.world.host({ wrap: tap.wrap });
    await place.worker(first, contest, {}, [child.definition]);
    await place.start(first, 'contest');
    let commits = 0;
    let died = false;
    tap.before = async () => {
      commits += 1;
      if (commits !== dieAt) return;
      died = true;
      if (isWritten) {
        tap.before = undefined;
        tap.lostAnswers = 1_000;
        setImmediate(() => void first.vanish());
      } else {
        tap.failures = Array.from({ length: 1_000 }, () => new TypeError('dead'));
        await first.vanish();
      }
    };
    await place.world.clock.advance(1);
    if (!died) await first.signal('contest', 'go').catch(nothing);
    await place.world.clock.advance(10);
    if (!died) return { died };
    const second = await place.world.host();
    await place.worker(second, contest, {}, [child.definition]);
    await place.world.clock.advance(30_000);
    await second.signal('contest', 'go').catch(nothing);
    await place.world.clock.advance(60_000);
    const order = (await resultOf(second, 'contest')) as string[];
    expect(order).toEqual(await inHistory(second));
    expect(order.toSorted()).toEqual(['child', 'go', 'sleep', 'work']);
    const names = await second.names('contest');
    expect(names.filter((name) => name === 'ActivityTaskScheduled').length).toBe(2);
    return { died };
  }

  async function inHistory(host: Host): Promise<string[]> {
    const order: string[] = [];
    const keys = new Map<string, string>();
    for (const event of await host.history('contest')) {
      const key = event.activityTaskScheduledEventAttributes?.activityId;
      if (key) keys.set(String(event.eventId), key);
      if (event.timerFiredEventAttributes) order.push('sleep');
      if (event.workflowExecutionSignaledEventAttributes) order.push('go');
      if (event.childWorkflowExecutionCompletedEventAttributes) order.push('child');
      const completed = event.activityTaskCompletedEventAttributes;
      if (completed && keys.get(String(completed.scheduledEventId)) === 'work') order.push('work');
    }
    return [...new Set(order)];
  }

  it.each([
    ['is lost', false],
    ['is written, and nobody hears of it', true],
  ])('at any commit that %s: a race ends as its history says', async (_, isWritten) => {
    let deaths = 0;
    for (let dieAt = 1; dieAt < 40; dieAt += 1) {
      const { died } = await lived(dieAt, isWritten);
      if (!died) break;
      deaths += 1;
    }
    expect(deaths).toBeGreaterThan(5);
  });
});

async function addOne(n: number): Promise<number> {
  return n + 1;
}
