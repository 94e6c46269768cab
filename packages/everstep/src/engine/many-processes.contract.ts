import { expect } from 'vitest';
import { completeRun, step, timer } from '../../test/command-kit.ts';
import { durationOf, refused } from '../../test/engine-host.ts';
import type { Host, StepTask } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { FakeWorker, inSequence } from '../../test/fake-worker.ts';
import { Hold, StoreTap, storeWith } from '../../test/store-tap.ts';
import type { Store } from '../store/store.ts';

export function describeManyProcesses(scenario: Scenario): void {
  scenario('What one process writes another reads at once (QY-5)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    expect(await other.names('a')).toHaveLength(2);
    await host.signal('a');
    expect(await other.names('a')).toHaveLength(3);
    await other.signal('a');
    expect(await host.names('a')).toHaveLength(4);
    expect((await host.describe('a')).workflowExecutionInfo?.historyLength?.toString()).toBe('4');
  });

  scenario(
    'Two processes that write one run at once both have their effect, once (decision 3)',
    async (host, world) => {
      const other = await world.host();
      const runId = await host.start('a');
      await other.signal('a', 'first', '', runId);
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 ? host : other).signal('a', `s${index}`, `r${index}`, runId),
        ),
      );
      const signals = (await host.history('a'))
        .map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)
        .filter(Boolean);
      expect(new Set(signals)).toEqual(
        new Set(['first', ...Array.from({ length: 10 }, (_, i) => `s${i}`)]),
      );
      expect(signals).toHaveLength(11);
    },
  );

  scenario(
    'A read sees what another process wrote while a write of its own is under way (QY-5)',
    async (host, world) => {
      const tap = new StoreTap();
      const other = await world.host({ wrap: tap.wrap });
      const runId = await host.start('a');
      await other.signal('a', 'warm', '', runId);
      let release: () => void = () => undefined;
      tap.before = () =>
        new Promise((resolve) => {
          release = resolve;
        });
      const ours = other.signal('a', 'ours', '', runId);
      await world.clock.settle();
      await host.signal('a', 'theirs', '', runId);
      expect(await other.names('a', runId)).toHaveLength(4);
      expect(await other.names('a')).toHaveLength(4);
      tap.before = undefined;
      release();
      await ours;
      expect(await host.names('a')).toHaveLength(5);
    },
  );

  scenario(
    'A commit that is lost is made again on what the other wrote (decision 3)',
    async (host, world) => {
      const tap = new StoreTap();
      const other = await world.host({ wrap: tap.wrap });
      const runId = await host.start('a');
      await other.signal('a', 'warm', '', runId);
      tap.before = async () => {
        tap.before = undefined;
        await host.signal('a', 'theirs', '', runId);
      };
      await other.signal('a', 'ours', '', runId);
      const signals = (await host.history('a'))
        .map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)
        .filter(Boolean);
      expect(signals).toEqual(['warm', 'theirs', 'ours']);
    },
  );

  scenario(
    'A task polled in a commit that was lost comes with its whole history (WT-11)',
    async (host, world) => {
      const tap = new StoreTap();
      const other = await world.host({ wrap: tap.wrap });
      const runId = await host.start('a');
      tap.before = async () => {
        tap.before = undefined;
        await host.signal('a', 'theirs', '', runId);
      };
      const task = await other.poll();
      expect(task.history?.events).toHaveLength(4);
      expect(Number(task.startedEventId)).toBe(4);
      await other.complete(task, [completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario('Both answers to one activity: the first counts (AC-5)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    await host.turn([step('s')]);
    const task = await host.pollStep();
    const results = await Promise.allSettled([host.completeStep(task), other.completeStep(task)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const names = await host.names('a');
    expect(names.filter((name) => name === 'ActivityTaskCompleted')).toHaveLength(1);
  });

  scenario('Both answers to one workflow task: the first counts (WT-13)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    const task = await host.poll();
    const results = await Promise.allSettled([
      host.complete(task, [timer('one', 1_000)]),
      other.complete(task, [timer('two', 1_000)]),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await host.names('a')).filter((name) => name === 'TimerStarted')).toHaveLength(1);
  });

  scenario('A timer of two processes fires once (TM-2)', async (host, world) => {
    const other = await world.host();
    await host.start('a');
    await host.turn([timer('t', 5_000)]);
    await world.clock.advance(10_000);
    const names = await other.names('a');
    expect(names.filter((name) => name === 'TimerFired')).toHaveLength(1);
  });

  scenario('A poll is given what another process starts (WT-8)', async (host, world) => {
    const other = await world.host();
    await world.clock.advance(2_000);
    const poll = other.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'orders' },
    });
    await world.clock.settle();
    await host.start('a');
    await world.clock.advance(1_000);
    expect((await poll).workflowExecution?.workflowId).toBe('a');
  });

  scenario(
    'A poll that waits is given its task in the commit that makes it (WT-8)',
    async (_host, world) => {
      const tap = new StoreTap();
      const other = await world.host({ wrap: tap.wrap });
      const poll = other.service.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'orders' },
      });
      await world.clock.settle();
      const before = tap.commits;
      await other.start('a');
      const task = await poll;
      expect(task.history?.events).toHaveLength(3);
      expect(tap.commits - before).toBe(1);
      await other.complete(task, [completeRun()]);
      expect(tap.commits - before).toBe(2);
    },
  );

  scenario(
    'A poll whose task was in a commit that was lost waits on (decision 3)',
    async (host, world) => {
      const tap = new StoreTap();
      const other = await world.host({ wrap: tap.wrap });
      const runId = await host.start('a');
      await host.turn();
      await other.names('a');
      const poll = other.service.pollWorkflowTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'orders' },
      });
      await world.clock.settle();
      tap.before = async () => {
        tap.before = undefined;
        await host.signal('a', 'theirs', '', runId);
      };
      await other.signal('a', 'ours', '', runId);
      await world.clock.advance(1_000);
      await other.complete(await poll);
      const signals = (await host.history('a'))
        .map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)
        .filter(Boolean);
      expect(signals).toEqual(['theirs', 'ours']);
    },
  );

  scenario(
    'A run is driven on by a worker of either process (decision 10)',
    async (host, world) => {
      const other = await world.host();
      const started: StepTask[] = [];
      for (const one of [host, other]) {
        attach(one).onStart = (task) => {
          started.push(task);
        };
      }
      await host.start('a');
      for (let index = 0; index < 3; index += 1) {
        // The answer comes in at the other process each time.
        await (index % 2 ? host : other).completeStep(started[index] ?? {});
        await world.clock.advance(1_000);
      }
      expect(await host.status('a')).toBe('COMPLETED');
      expect(started.map(({ activityId }) => activityId)).toEqual(['s1', 's2', 's3']);
    },
  );

  scenario(
    'What a process had started when it died starts again without using up a retry (decision 11)',
    async (host, world) => {
      const dying = await world.host();
      const worker = attach(dying);
      await dying.start('a');
      expect(worker.started).toHaveLength(1);
      await dying.vanish();
      await world.clock.advance(1_000);
      const task = await host.pollStep();
      expect(task).toMatchObject({ activityId: 's1', attempt: 1 });
      expect((await refused(host.completeStep(worker.started[0] ?? {}))).code).toBe('NOT_FOUND');
      await host.completeStep(task);
    },
  );

  scenario(
    'A step whose process dies again and again says so, in its last failure and in the log (decision 11)',
    async (host, world) => {
      const lastFailure = async () => {
        const { pendingActivities } = await host.describe('a');
        return pendingActivities?.[0]?.lastFailure?.message;
      };
      for (let deaths = 1; deaths <= 3; deaths += 1) {
        const dying = await world.host();
        const worker = attach(dying);
        if (deaths === 1) await dying.start('a');
        else await world.clock.advance(1_000);
        expect(worker.started).toHaveLength(1);
        await dying.vanish();
        await world.clock.advance(1_000);
        expect(await lastFailure()).toContain(
          deaths === 1 ? 'The process died while it ran' : `The process died ${deaths} times while`,
        );
      }
      expect(world.warnings.map(({ fields }) => fields)).toMatchObject([
        { workflowId: 'a', step: 's1', attempt: 1, deaths: 2 },
        { workflowId: 'a', step: 's1', attempt: 1, deaths: 3 },
      ]);
      expect((await host.pollStep()).attempt).toBe(1);
    },
  );

  scenario(
    'A single attempt that died with its process fails as lost (decision 11)',
    async (host, world) => {
      const dying = await world.host();
      const worker = attach(dying, () => [step('s', { retryPolicy: { maximumAttempts: 1 } })]);
      await dying.start('a');
      expect(worker.started).toHaveLength(1);
      await dying.vanish();
      await world.clock.advance(1_000);
      expect(await host.tryPollStep()).toBeUndefined();
      const failed = await host.event('a', 'ActivityTaskFailed');
      expect(failed.activityTaskFailedEventAttributes?.failure?.message).toMatch(/process/);
      expect(await host.tryPoll()).toBeDefined();
    },
  );

  const silent = [
    ['does not have the database open is given up half a minute later', false, [true, true]],
    ['may have the database open is given up five minutes later', undefined, [false, true]],
    ['has the database open is not given up', true, [false, false]],
  ] as const;
  for (const [what, isOpen, givenUp] of silent) {
    scenario(
      `A process of a living pid whose heartbeats stop and that ${what} (decision 11)`,
      async (first, world) => {
        await first.leave();
        const wrap = (store: Store): Store => {
          store.isOpenIn = () => isOpen;
          return store;
        };
        const host = await world.host({ isPidAlive: () => true, wrap });
        const dying = await world.host();
        attach(dying, () => [step('s', { startToCloseTimeout: durationOf(3_600_000) })]);
        await dying.start('a');
        await world.clock.advance(60_000);
        await dying.vanish();
        await world.clock.advance(20_000);
        expect(await host.tryPollStep()).toBeUndefined();
        const found: boolean[] = [];
        for (const ms of [20_000, 600_000]) {
          await world.clock.advance(ms);
          const taken = await host.tryPollStep();
          found.push(found.at(-1) === true || taken !== undefined);
          expect(taken?.attempt ?? 1).toBe(1);
        }
        expect(found).toEqual(givenUp);
      },
    );
  }

  scenario(
    'A machine that falls silent is given up after ten seconds (decision 11)',
    async (host, world) => {
      const dying = await world.host({ hostId: 'machine-2' });
      attach(dying, () => [step('s', { startToCloseTimeout: durationOf(60_000) })]);
      await dying.start('a');
      await dying.vanish();
      await world.clock.advance(5_000);
      expect(await host.tryPollStep()).toBeUndefined();
      await world.clock.advance(10_000);
      expect((await host.pollStep()).attempt).toBe(1);
    },
  );

  scenario(
    'A workflow task that died with its process is driven again (decision 11)',
    async (host, world) => {
      const dying = await world.host();
      const worker = attach(dying);
      worker.driveWorkflowTask = () => new Promise(() => undefined);
      await dying.start('a');
      await world.clock.settle();
      expect((await host.names('a')).at(-1)).toBe('WorkflowTaskStarted');
      await dying.vanish();
      await world.clock.advance(1_000);
      await host.turn([completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario(
    'A row that is claimed for a process while it is given up is given back (decision 11)',
    async (host, world) => {
      const { namespaceInfo } = await host.service.describeNamespace({ namespace: 'default' });
      const queue = { namespaceId: namespaceInfo?.id ?? '', taskQueue: 'orders' };
      let claimed = 0;
      const witness = await world.host({
        wrap: (store) =>
          storeWith(store, 'processes', {
            remove: async (request) => {
              const late = { ...queue, ...request, kind: 'workflow', limit: 1 } as const;
              claimed += (await store.tasks.claim(late)).length;
              await store.processes.remove(request);
            },
          }),
      });
      const dying = await world.host();
      await host.leave();
      await witness.start('a');
      await dying.vanish();
      await world.clock.advance(2_000);
      expect(claimed).toBe(1);
      expect(await witness.tryPoll()).toBeDefined();
    },
  );

  scenario(
    'A process that was given up wrongly goes on as if it had just come (decision 11)',
    async (host, world) => {
      const slow = await world.host({ hostId: 'machine-2' });
      const worker = attach(slow);
      await slow.start('a');
      await host.store.processes.remove({ processId: slow.engine.processId });
      await world.clock.advance(5_000);
      await slow.completeStep(worker.started[0] ?? {});
      const rows = await host.store.processes.list();
      expect(rows.map((row) => row.processId)).toContain(slow.engine.processId);
    },
  );

  scenario(
    'A process that was given up wrongly claims no row before it has come again (decision 11)',
    async (host, world) => {
      const tap = new StoreTap();
      const slow = await world.host({ hostId: 'machine-2', wrap: tap.wrap });
      tap.before = () => new Promise(() => undefined);
      await host.start('a');
      await host.store.processes.remove({ processId: slow.engine.processId });
      const poll = { namespace: 'default', taskQueue: { name: 'orders' } };
      void slow.service.pollWorkflowTaskQueue(poll).catch(() => undefined);
      await world.clock.settle();
      await slow.vanish();
      expect(await host.tryPoll()).toBeDefined();
    },
  );

  scenario(
    'Two engines of one process do not take each other for dead (decision 11)',
    async (host, world) => {
      await host.leave();
      const first = await world.host({ pid: 4_711, isPidAlive: () => true });
      const worker = attach(first);
      await first.start('a');
      await world.clock.advance(10);
      const second = await world.host({ pid: 4_711, isPidAlive: () => true });
      await world.clock.advance(2_000);
      await first.completeStep(worker.started[0] ?? {});
      expect(await second.status('a')).toBe('RUNNING');
      expect(worker.started).toHaveLength(2);
    },
  );

  scenario('A process that stops leaves nothing half done (decision 11)', async (host, world) => {
    const leaving = await world.host();
    const worker = attach(leaving);
    await leaving.start('a');
    worker.host?.detach();
    const signalled = leaving.signal('a');
    await leaving.leave();
    await signalled.catch(() => undefined);
    expect((await host.pollStep()).attempt).toBe(1);
    await world.clock.advance(1_000);
    expect(await host.store.processes.list()).toHaveLength(1);
  });

  scenario(
    'A process that stops is there until all that it writes is written (decision 11)',
    async (host, world) => {
      const tap = new StoreTap();
      const [reading, handingBack, writing] = [new Hold(), new Hold(), new Hold()];
      let stops = false;
      const leaving = await world.host({
        wrap: (store) =>
          storeWith(tap.wrap(store), 'runs', {
            load: async (request) => {
              await reading.released;
              return store.runs.load(request);
            },
            heldBy: async (request) => {
              if (stops) await handingBack.released;
              return store.runs.heldBy(request);
            },
          }),
      });
      const runId = await host.start('a');
      tap.before = () => writing.released;
      const signalled = leaving.signal('a', 'late', '', runId);
      await world.clock.settle();
      stops = true;
      const left = leaving.leave();
      await world.clock.settle();
      reading.release();
      await world.clock.settle();
      handingBack.release();
      await world.clock.settle();
      expect(await host.store.processes.list()).toHaveLength(2);
      writing.release();
      await left;
      expect(await host.store.processes.list()).toHaveLength(1);
      await signalled;
      expect((await host.names('a')).at(-1)).toBe('WorkflowExecutionSignaled');
    },
  );
}

function attach(host: Host, code = inSequence(3)): FakeWorker {
  const worker = new FakeWorker({ code });
  worker.host = host.service.attachWorker(worker);
  return worker;
}
