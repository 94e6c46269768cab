import { expect } from 'vitest';
import { child, completeRun, signalOther, step, timer } from '../../test/command-kit.ts';
import { longOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { FakeWorker, type Code } from '../../test/fake-worker.ts';
import { nameOf } from '../../test/core-driver.ts';
import type { ActivityTask } from '../service/local-worker.ts';
import { Schedules, every, scheduleOf } from '../../test/schedule-kit.ts';
import { Hold, StoreTap, storeWith } from '../../test/store-tap.ts';
import { StoreError } from '../store/store.ts';

const trouble = () => new StoreError('STORE_FAILED', 'trouble');

export function describeFailingStore(scenario: Scenario): void {
  scenario(
    'A write that failed is refused as unavailable, and nothing of it is there (EV-2)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      await host.start('a');
      tap.failures = [trouble()];
      expect(await refused(host.signal('a'))).toMatchObject({
        code: 'UNAVAILABLE',
        message: 'trouble',
        retryable: true,
      });
      expect(await host.names('a')).toHaveLength(2);
      await host.signal('a');
      expect(await host.names('a')).toHaveLength(3);
    },
  );

  scenario('A start that failed may be made again (ID-1)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    tap.failures = [trouble()];
    expect((await refused(host.start('a', { requestId: 'r' }))).code).toBe('UNAVAILABLE');
    expect((await refused(host.describe('a'))).code).toBe('NOT_FOUND');
    const reply = await host.startReply('a', { requestId: 'r' });
    expect(reply.started).toBe(true);
    expect(await host.poll()).toBeDefined();
  });

  scenario(
    'A commit that was written although its answer was lost is answered as written (EV-2)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      tap.lostAnswers = 1;
      const runId = await host.start('a');
      expect(await host.names('a', runId)).toHaveLength(2);
      const task = await host.poll();
      tap.lostAnswers = 1;
      await host.complete(task, [child('kid')]);
      // Whose message goes with the next sweep.
      await world.clock.advance(20_000);
      expect(await host.names('kid')).toHaveLength(2);
    },
  );

  scenario(
    'Messages that cannot be delivered are tried once a second, however many (SG-4)',
    async (first, world) => {
      for (const name of ['x', 'y', 'z'])
        await first.start(name, { taskQueue: { name: 'others' } });
      await first.leave();
      let fails = false;
      let reads = 0;
      const host = await world.host({
        wrap: (store) => {
          const tried = <R>(workflowId: string, read: () => Promise<R>): Promise<R> => {
            if (!fails || workflowId === 'a') return read();
            reads += 1;
            return Promise.reject(trouble());
          };
          const { runs } = store;
          return storeWith(store, 'runs', {
            load: (request) => tried(request.key.workflowId, () => runs.load(request)),
            loadCurrent: (request) => tried(request.workflowId, () => runs.loadCurrent(request)),
            currentHead: (request) => tried(request.workflowId, () => runs.currentHead(request)),
          });
        },
      });
      await host.start('a');
      const task = await host.poll();
      fails = true;
      await host.complete(
        task,
        ['x', 'y', 'z'].map((name) => signalOther(name)),
      );
      await world.clock.advance(6_000);
      expect(reads).toBeGreaterThan(3);
      expect(reads).toBeLessThan(3 * 10);
      fails = false;
      await world.clock.advance(2_000);
      for (const name of ['x', 'y', 'z']) {
        expect(await host.names(name)).toContain('WorkflowExecutionSignaled');
      }
    },
  );

  scenario(
    'Who reads a run while another loads it sees what was written before (section 15)',
    async (other, world) => {
      const runId = await other.start('a');
      const held = { heads: new Hold(), load: new Hold() };
      let heads = 0;
      let holds = false;
      const host = await world.host({
        wrap: (store) =>
          storeWith(store, 'runs', {
            heads: async (request) => {
              if (holds && (heads += 1) === 1) await held.heads.released;
              return store.runs.heads(request);
            },
            load: async (request) => {
              const run = await store.runs.load(request);
              if (holds) await held.load.released;
              return run;
            },
          }),
      });
      await host.describe('a', runId);
      await other.signal('a', 'first');
      holds = true;
      const late = host.describe('a', runId);
      const early = host.describe('a', runId);
      await world.clock.settle();
      await other.signal('a', 'second');
      held.heads.release();
      await world.clock.settle();
      holds = false;
      held.load.release();
      await early;
      expect((await late).workflowExecutionInfo?.historyLength).toEqual(longOf(4));
    },
  );

  scenario(
    'Who reads a run whose start was told late sees what others wrote since (section 15)',
    async (other, world) => {
      const tap = new StoreTap();
      const told = new Hold();
      const host = await world.host({ wrap: tap.wrap });
      tap.after = () => told.released;
      const starting = host.start('a');
      await world.clock.settle();
      await other.signal('a');
      const reading = host.describe(
        'a',
        (await other.describe('a')).workflowExecutionInfo?.execution?.runId ?? '',
      );
      await world.clock.settle();
      told.release();
      await starting;
      expect((await reading).workflowExecutionInfo?.historyLength).toEqual(longOf(3));
    },
  );

  scenario(
    'A step that a commit started of which nobody knows is started again (decision 11)',
    async (first, world) => {
      const { host, tap, refuseLoads } = await doubting(first, world);
      const worker = new FakeWorker();
      worker.host = host.service.attachWorker(worker);
      tap.lostAnswers = 1;
      refuseLoads(2);
      expect((await refused(host.start('a'))).code).toBe('UNAVAILABLE');
      expect(worker.started).toEqual([]);
      await world.clock.advance(5_000);
      expect(worker.started.map(({ attempt }) => attempt)).toEqual([1]);
    },
  );

  scenario(
    'A step that runs goes on when it is not known whether a later commit was written (decision 11)',
    async (first, world) => {
      const { host, tap, refuseLoads } = await doubting(first, world);
      const code: Code = (events) => {
        const names = events.map(nameOf);
        if (!names.includes('ActivityTaskScheduled')) return [step('long'), step('short')];
        if (!names.includes('ActivityTaskCompleted')) return [];
        const scheduled = names.filter((name) => name === 'ActivityTaskScheduled').length;
        return scheduled < 3 ? [step('next')] : [];
      };
      const worker = new FakeWorker({ code });
      worker.host = host.service.attachWorker(worker);
      await host.start('a');
      const ids = (): (string | null | undefined)[] =>
        worker.started.map(({ activityId }) => activityId);
      expect(ids()).toEqual(['long', 'short']);
      const [long, short] = worker.started as [ActivityTask, ActivityTask];
      tap.lostAnswers = 1;
      refuseLoads(2);
      expect((await refused(host.completeStep(short))).code).toBe('UNAVAILABLE');
      await world.clock.advance(5_000);
      expect(ids()).toEqual(['long', 'short', 'next']);
      await host.completeStep(long);
      expect((await host.names('a')).filter((name) => name === 'ActivityTaskCompleted')).toEqual([
        'ActivityTaskCompleted',
        'ActivityTaskCompleted',
      ]);
    },
  );

  scenario('A full disk is said to be one (section 15)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    tap.failures = [new StoreError('STORE_DISK_FULL', 'the disk is full')];
    expect(await refused(host.start('a'))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'the disk is full',
      detail: { kind: 'resourceExhausted', cause: 'persistenceLimit' },
    });
  });

  scenario(
    'A read that failed is refused as unavailable, and may be asked again (section 15)',
    async (first, world) => {
      await first.start('a');
      let failure: StoreError | undefined;
      world.expectsErrors = true;
      const host = await world.host({
        wrap: (store) =>
          new Proxy(store, {
            get: (target, name) => {
              if (name === 'runs' && failure) throw failure;
              const value: unknown = Reflect.get(target, name, target);
              return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
            },
          }),
      });
      failure = trouble();
      expect(await refused(host.describe('a'))).toMatchObject({
        code: 'UNAVAILABLE',
        message: 'trouble',
        retryable: true,
      });
      expect((await refused(host.signal('a'))).code).toBe('UNAVAILABLE');
      failure = new StoreError('STORE_CORRUPT', 'the row is damaged');
      expect((await refused(host.describe('a'))).code).toBe('FAILED_PRECONDITION');
      failure = undefined;
      await host.signal('a');
      expect(await host.names('a')).toHaveLength(3);
    },
  );

  scenario('A task whose start failed is given out later (WT-8)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    tap.failures = [trouble()];
    const poll = host.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'orders' },
    });
    await world.clock.advance(2_000);
    const task = await poll;
    expect(task.attempt).toBe(1);
    await host.complete(task, [step('s')]);
    tap.failures = [trouble()];
    expect(await host.tryPollStep()).toBeUndefined();
    await world.clock.advance(2_000);
    expect((await host.pollStep()).attempt).toBe(1);
  });

  scenario(
    'A task that could not be given back to its queue is given out later (WT-8)',
    async (first, world) => {
      await first.leave();
      const tap = new StoreTap();
      let refusals = 1;
      world.expectsErrors = true;
      const host = await world.host({
        wrap: (store) =>
          storeWith(tap.wrap(store), 'tasks', {
            release: (request) => {
              refusals -= 1;
              return refusals < 0 ? store.tasks.release(request) : Promise.reject(trouble());
            },
          }),
      });
      await host.start('a');
      tap.failures = [trouble()];
      const poll = host.service.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'orders' },
      });
      await world.clock.advance(3_000);
      expect((await poll).attempt).toBe(1);
      expect(refusals).toBeLessThanOrEqual(0);
    },
  );

  scenario('A timer whose commit failed fires later, once (TM-2)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    await host.turn([timer('t', 5_000)]);
    tap.failures = [trouble(), trouble()];
    await world.clock.advance(10_000);
    const names = await host.names('a');
    expect(names.filter((name) => name === 'TimerFired')).toHaveLength(1);
    expect(tap.failures).toEqual([]);
  });

  scenario(
    'A timer that falls due while others are being fired is not forgotten (TM-1)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      await host.start('a');
      await host.turn([timer('early', 1_000)]);
      await host.start('b');
      await host.turn([timer('late', 5_000)]);
      const other = await world.host();
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      tap.before = () => held;
      // The other process fires the first, says so, and is gone; this one still writes what it saw.
      await world.clock.advance(1_500);
      expect((await other.names('a')).at(-2)).toBe('TimerFired');
      await other.vanish();
      await world.clock.advance(4_500);
      tap.before = undefined;
      release();
      await world.clock.advance(1_000);
      expect((await host.names('b')).at(-2)).toBe('TimerFired');
    },
  );

  scenario('A store that stays broken is not hammered (TM-2)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    await host.turn([timer('t', 1_000)]);
    let tries = 0;
    tap.before = () => {
      tries += 1;
      throw trouble();
    };
    await world.clock.advance(10_000);
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThan(30);
    tap.before = undefined;
    await world.clock.advance(5_000);
    expect((await host.names('a')).at(-2)).toBe('TimerFired');
  });

  scenario(
    'A message whose commit failed is delivered later, once (CH-1)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      await host.start('parent');
      const task = await host.poll();
      let commits = 0;
      tap.before = () => {
        commits += 1;
        if (commits === 2 || commits === 4) throw trouble();
      };
      await host.complete(task, [child('kid')]);
      await world.clock.advance(20_000);
      expect(commits).toBeGreaterThan(4);
      const names = await host.names('parent');
      expect(names.filter((name) => name === 'ChildWorkflowExecutionStarted')).toHaveLength(1);
      expect(await host.names('kid')).toHaveLength(2);
    },
  );

  scenario(
    'A request to create a schedule that comes again after its delete makes no other (ID-1)',
    async (first, world) => {
      await first.leave();
      world.expectsErrors = true;
      const host = await world.host({
        // The schedule is ended, and its row stays until retention takes it.
        wrap: (store) =>
          storeWith(store, 'runs', {
            delete: () => Promise.reject(trouble()),
          }),
      });
      const schedules = new Schedules(host);
      const create = () =>
        schedules.create('s', scheduleOf(every(1_000)), { requestId: 'asked-once' });
      const created = await create();
      await refused(schedules.delete('s'));
      expect(await create()).toEqual(created);
      expect((await refused(schedules.describe('s'))).code).toBe('NOT_FOUND');
      await world.clock.advance(5_000);
      expect(await host.listed()).toEqual([]);
    },
  );

  scenario('A completion that failed may be given again (WT-13)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    const task = await host.poll();
    tap.failures = [trouble()];
    expect((await refused(host.complete(task, [completeRun()]))).code).toBe('UNAVAILABLE');
    await host.complete(task, [completeRun()]);
    expect(await host.status('a')).toBe('COMPLETED');
  });

  scenario(
    'Requests that waited behind a failed write are told so too (EV-2)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      const runId = await host.start('a');
      tap.failures = [trouble()];
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, (_, index) => host.signal('a', 'go', `r${index}`, runId)),
      );
      const done = results.filter(({ status }) => status === 'fulfilled').length;
      const names = await host.names('a');
      expect(names.filter((name) => name === 'WorkflowExecutionSignaled')).toHaveLength(done);
      for (let index = 0; index < 5; index += 1) await host.signal('a', 'go', `r${index}`);
      expect(
        (await host.names('a')).filter((name) => name === 'WorkflowExecutionSignaled'),
      ).toHaveLength(5);
    },
  );
}

/** A process that may be refused the next runs that it loads: so it cannot tell what became of a commit. */
async function doubting(
  first: Host,
  world: World,
): Promise<{
  readonly host: Host;
  readonly tap: StoreTap;
  readonly refuseLoads: (count: number) => void;
}> {
  await first.leave();
  const tap = new StoreTap();
  let refusals = 0;
  world.expectsErrors = true;
  const host = await world.host({
    wrap: (store) =>
      storeWith(tap.wrap(store), 'runs', {
        load: (request) => {
          refusals -= 1;
          return refusals < 0 ? store.runs.load(request) : Promise.reject(trouble());
        },
      }),
  });
  return { host, tap, refuseLoads: (count) => (refusals = count) };
}

/** The only process, on a store that can be made to fail; its engine complains of that, and should. */
async function tapped(
  first: Host,
  world: World,
): Promise<{ readonly host: Host; readonly tap: StoreTap }> {
  await first.leave();
  const tap = new StoreTap();
  const host = await world.host({ wrap: tap.wrap });
  world.expectsErrors = true;
  return { host, tap };
}
