import { expect } from 'vitest';
import { cancelStep, completeRun, step, timer } from '../../test/command-kit.ts';
import { nameOf } from '../../test/core-driver.ts';
import { decoded } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { FakeWorker, inSequence } from '../../test/fake-worker.ts';
import type { Code, FakeWorkerOptions } from '../../test/fake-worker.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { StoreError } from '../store/store.ts';

export function describeLocalWorker(scenario: Scenario): void {
  scenario('A run of five steps is six commits (decision 10)', async (_host, world) => {
    const tap = new StoreTap();
    const host = await world.host({ wrap: tap.wrap });
    const worker = attach(host);
    tap.commits = 0;
    await host.start('a');
    for (let index = 1; index <= 5; index += 1) {
      expect(worker.started).toHaveLength(index);
      expect(tap.commits).toBe(index);
      await host.completeStep(worker.started[index - 1] ?? {});
    }
    await world.clock.settle();
    expect(tap.commits).toBe(6);
    expect(await host.status('a')).toBe('COMPLETED');
    expect(worker.started.map(({ activityId }) => activityId)).toEqual([
      's1',
      's2',
      's3',
      's4',
      's5',
    ]);
    expect(worker.drivenFrom).toEqual([1, 4, 10, 16, 22, 28]);
    expect(worker.evicted).toEqual([]);
    expect(await host.tryPollStep()).toBeUndefined();
    expect(await host.tryPoll()).toBeUndefined();
  });

  scenario('The history is that of a worker that polls (EV-2)', async (host) => {
    const worker = attach(host, { code: inSequence(1) });
    await host.start('a');
    await host.completeStep(worker.started[0] ?? {});
    expect(await host.names('a')).toEqual([
      'WorkflowExecutionStarted',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskCompleted',
      'ActivityTaskScheduled',
      'ActivityTaskStarted',
      'ActivityTaskCompleted',
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskCompleted',
      'WorkflowExecutionCompleted',
    ]);
  });

  scenario(
    'A run is driven on from where it was, after a workflow task that left no trace (WT-26, decision 10)',
    async (host, world) => {
      const worker = attach(host, { code: () => [] });
      await host.start('a');
      const updated = host.service.updateWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: 'a' },
        waitPolicy: { lifecycleStage: 3 },
        request: { meta: { updateId: 'u1' }, input: { name: 'add' } },
      });
      // It knows no updates.
      expect((await updated).outcome?.failure?.applicationFailureInfo?.type).toBe(
        'UnprocessedUpdate',
      );
      await host.signal('a');
      await world.clock.settle();
      expect(worker.drivenFrom).toEqual([1, 4, 4]);
      expect(worker.evicted).toEqual([]);
      expect(await host.names('a', '', 4)).toEqual([
        'WorkflowTaskCompleted',
        'WorkflowExecutionSignaled',
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
        'WorkflowTaskCompleted',
      ]);
    },
  );

  scenario('A step does not start before its commit (decision 10)', async (_host, world) => {
    const tap = new StoreTap();
    const host = await world.host({ wrap: tap.wrap });
    const worker = attach(host);
    let release: () => void = () => undefined;
    tap.before = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const started = host.start('a');
    await world.clock.settle();
    expect(worker.drivenFrom).toEqual([1]);
    expect(worker.started).toEqual([]);
    tap.before = undefined;
    release();
    await started;
    await world.clock.settle();
    expect(worker.started).toHaveLength(1);
  });

  scenario(
    'A lost commit evicts the run and drives it again (decision 10)',
    async (_host, world) => {
      const tap = new StoreTap();
      const host = await world.host({ wrap: tap.wrap });
      const other = await world.host();
      const worker = attach(host, { code: inSequence(1) });
      await host.start('a');
      // Another process writes just before the commit that would end the run.
      tap.before = async () => {
        tap.before = undefined;
        await other.signal('a');
      };
      await host.completeStep(worker.started[0] ?? {});
      await world.clock.settle();
      expect(worker.evicted).toHaveLength(1);
      expect(await host.status('a')).toBe('COMPLETED');
      const names = await host.names('a');
      expect(names.filter((name) => name === 'ActivityTaskCompleted')).toHaveLength(1);
      expect(names.filter((name) => name === 'WorkflowExecutionSignaled')).toHaveLength(1);
      expect(worker.started).toHaveLength(1);
      expect(worker.slots).toBe(9);
    },
  );

  scenario(
    'What is read of a run whose commit is lost meanwhile is not driven (decision 10)',
    async (_host, world) => {
      const tap = new StoreTap();
      const other = await world.host();
      await other.start('a');
      const host = await world.host({ wrap: tap.wrap });
      let readOn: () => void = () => undefined;
      tap.beforeRead = () => {
        tap.beforeRead = undefined;
        return new Promise((resolve) => {
          readOn = resolve;
        });
      };
      // Another process writes before the workflow task is started, and while its events are still read.
      tap.before = async () => {
        tap.before = undefined;
        await other.signal('a');
      };
      const worker = attach(host, { code: inSequence(1) });
      await world.clock.advance(1_000);
      expect(worker.evicted).toHaveLength(1);
      expect(worker.drivenFrom).toEqual([1]);
      readOn();
      await world.clock.settle();
      expect(worker.drivenFrom).toEqual([1]);
      await host.completeStep(worker.started[0] ?? {});
      await world.clock.settle();
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario(
    'A step whose commit was lost gives its slot back (decision 10)',
    async (_host, world) => {
      const tap = new StoreTap();
      const host = await world.host({ wrap: tap.wrap });
      const other = await world.host();
      const worker = attach(host, { code: inSequence(2) });
      await host.start('a');
      tap.before = async () => {
        tap.before = undefined;
        await other.signal('a');
      };
      await host.completeStep(worker.started[0] ?? {});
      await world.clock.settle();
      expect(worker.started.map(({ activityId }) => activityId)).toEqual(['s1', 's2']);
      expect(worker.slots).toBe(8);
    },
  );

  scenario(
    'A step for which there is no slot waits in its queue (decision 10)',
    async (host, world) => {
      const worker = attach(host, { slots: 1, code: once(step('s1'), step('s2'), step('s3')) });
      await host.start('a');
      expect(worker.started.map(({ activityId }) => activityId)).toEqual(['s1']);
      const backlog = await host.service.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: 'steps' },
        taskQueueType: 2,
        reportStats: true,
      });
      expect(Number(backlog.stats?.approximateBacklogCount)).toBe(2);
      worker.freeSlot();
      await world.clock.settle();
      expect(worker.started.map(({ activityId }) => activityId)).toEqual(['s1', 's2']);
      worker.freeSlot();
      await world.clock.settle();
      expect(worker.started).toHaveLength(3);
      for (const task of worker.started) await host.completeStep(task);
      expect((await host.names('a')).filter((name) => name === 'ActivityTaskStarted')).toHaveLength(
        3,
      );
    },
  );

  scenario(
    'A step of a queue that the worker does not serve is left to others (decision 10)',
    async (host) => {
      const worker = attach(host);
      await host.start('other', { taskQueue: { name: 'elsewhere' } });
      await host.turn([step('s', { taskQueue: { name: 'others' } })], 'elsewhere');
      expect(worker.started).toEqual([]);
      expect((await host.pollStep('others')).activityId).toBe('s');
    },
  );

  scenario('A backlog is taken by a worker that comes later (decision 10)', async (host, world) => {
    for (let index = 0; index < 25; index += 1) await host.start(`a${index}`);
    const worker = attach(host, { slots: 100, code: inSequence(1) });
    await world.clock.settle();
    expect(worker.started).toHaveLength(25);
    await Promise.all(worker.started.map((task) => host.completeStep(task)));
    await world.clock.settle();
    const { count } = await host.service.countWorkflowExecutions({
      namespace: 'default',
      query: "ExecutionStatus = 'Completed'",
    });
    expect(Number(count)).toBe(25);
  });

  scenario(
    'A step type that the worker does not know is left to others (decision 10)',
    async (host, world) => {
      const worker = attach(host, {
        code: once(step('x', { activityType: { name: 'Ship' } }), step('s')),
        activityTypes: ['Charge'],
      });
      await host.start('a');
      await world.clock.settle();
      expect(worker.started.map(({ activityId }) => activityId)).toEqual(['s']);
      expect((await host.pollStep()).activityId).toBe('x');
    },
  );

  scenario(
    'A run type that the worker does not know hides no other (decision 10)',
    async (host, world) => {
      for (let index = 0; index < 15; index += 1) {
        await host.start(`x${index}`, { workflowType: { name: 'Parcel' } });
      }
      await host.start('a');
      const worker = attach(host);
      await world.clock.settle();
      expect(worker.started).toHaveLength(1);
      expect((await host.poll()).workflowType?.name).toBe('Parcel');
    },
  );

  scenario('Two processes share a backlog, each task once (decision 10)', async (host, world) => {
    const other = await world.host();
    for (let index = 0; index < 20; index += 1) await host.start(`a${index}`);
    const workers = [host, other].map((one) => attach(one, { slots: 100, code: inSequence(1) }));
    await world.clock.advance(2_000);
    const started = workers.flatMap((worker) => worker.started);
    expect(started).toHaveLength(20);
    expect(new Set(started.map((task) => task.workflowExecution?.workflowId)).size).toBe(20);
  });

  scenario('A worker that leaves takes nothing more (decision 10)', async (host, world) => {
    const worker = attach(host);
    worker.host?.detach();
    await host.start('a');
    await world.clock.settle();
    expect(worker.drivenFrom).toEqual([]);
    expect(await host.poll()).toBeDefined();
  });

  scenario(
    'What is handed back starts again at once, on the same attempt (decision 11)',
    async (host) => {
      const worker = attach(host, { code: inSequence(1) });
      await host.start('a');
      worker.host?.detach();
      await worker.host?.handBack();
      const task = await host.pollStep();
      expect(task.attempt).toBe(1);
      await host.completeStep(task);
    },
  );

  scenario('A started step hears at once that it is cancelled (AC-13)', async (host, world) => {
    const worker = attach(host, {
      code: (events) =>
        events.map(nameOf).includes('WorkflowExecutionSignaled') ? [cancelStep(5)] : [step('s')],
    });
    await host.start('a');
    await host.signal('a');
    await world.clock.settle();
    expect(worker.interrupted).toMatchObject([{ activityId: 's', reason: 'cancelRequested' }]);
  });

  scenario('A started step hears at once that nobody waits for it (AC-5)', async (host, world) => {
    const worker = attach(host);
    await host.start('a');
    await host.terminate('a');
    await world.clock.settle();
    expect(worker.interrupted).toMatchObject([{ activityId: 's1', reason: 'gone' }]);
  });

  scenario('A step of another process hears of it by mail (AC-13)', async (host, world) => {
    const other = await world.host();
    await world.clock.advance(1_000);
    const worker = attach(other);
    await other.start('a');
    await host.terminate('a');
    await world.clock.advance(1_000);
    expect(worker.interrupted).toMatchObject([{ activityId: 's1', reason: 'gone' }]);
  });

  scenario('A query is answered by the live run, and writes nothing (QY-3, QY-5)', async (host) => {
    const worker = attach(host);
    await host.start('a');
    const before = await host.names('a');
    expect(decoded((await host.query('a')).queryResult)).toBe(3);
    expect(worker.drivenFrom).toEqual([1]);
    expect(await host.names('a')).toEqual(before);
  });

  scenario(
    'A query of a run that is not live is answered from its history (QY-3)',
    async (host) => {
      await host.start('a');
      await host.turn([timer('t', 60_000)]);
      attach(host);
      expect(decoded((await host.query('a')).queryResult)).toBe(5);
    },
  );

  scenario('A query is answered by the worker of another process (QY-3)', async (host, world) => {
    const other = await world.host();
    attach(other);
    await other.start('a');
    await world.clock.advance(1_000);
    const answer = host.query('a', '', { deadline: world.clock.now + 30_000 });
    await world.clock.advance(3_000);
    expect(decoded((await answer).queryResult)).toBe(3);
  });

  scenario('A retry that is due starts in the worker (AC-7)', async (host, world) => {
    const worker = attach(host);
    await host.start('a');
    await host.failStep(worker.started[0] ?? {});
    await world.clock.advance(999);
    expect(worker.started).toHaveLength(1);
    await world.clock.advance(1);
    expect(worker.started.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  scenario('A store that fails once starts no step twice (decision 10)', async (_host, world) => {
    const tap = new StoreTap();
    const host = await world.host({ wrap: tap.wrap });
    const worker = attach(host, { code: inSequence(2) });
    await host.start('a');
    world.expectsErrors = true;
    tap.failures = [new StoreError('STORE_FAILED', 'trouble')];
    await expect(host.completeStep(worker.started[0] ?? {})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(worker.started).toHaveLength(1);
    expect(worker.slots).toBe(9);
    await host.completeStep(worker.started[0] ?? {});
    await world.clock.settle();
    expect(worker.started.map(({ activityId }) => activityId)).toEqual(['s1', 's2']);
    expect((await host.names('a')).filter((name) => name === 'ActivityTaskCompleted')).toHaveLength(
      1,
    );
  });

  scenario('A run with a timer goes on in the worker when it fires (TM-1)', async (host, world) => {
    attach(host, {
      code: (events) =>
        events.map(nameOf).includes('TimerFired') ? [completeRun()] : [timer('t', 5_000)],
    });
    await host.start('a');
    await world.clock.advance(5_000);
    expect(await host.status('a')).toBe('COMPLETED');
  });
}

function attach(host: Host, options: FakeWorkerOptions = {}): FakeWorker {
  const worker = new FakeWorker(options);
  worker.host = host.service.attachWorker(worker);
  return worker;
}

/** Those commands the first time, nothing after. */
function once(...commands: readonly ReturnType<typeof step>[]): Code {
  return (events) =>
    events.some((event) => nameOf(event) === 'WorkflowTaskCompleted') ? [] : commands;
}
