/** Batch operations: one operation on many runs, step by step, whatever process is there. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import { step } from '../../test/command-kit.ts';
import { durationOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { StoreError } from '../store/store.ts';

const { BatchOperationState, BatchOperationType } = proto.temporal.api.enums.v1;
type Batch = temporal.api.workflowservice.v1.IStartBatchOperationRequest;
const namespace = 'default';
const all = "WorkflowType = 'Order'";

function start(host: Host, jobId: string, request: Batch) {
  const selected = request.executions ? {} : { visibilityQuery: all };
  return host.service.startBatchOperation({
    namespace,
    jobId,
    reason: 'spring',
    ...selected,
    ...request,
  });
}

async function described(host: Host, jobId: string) {
  const { state, totalOperationCount, completeOperationCount, failureOperationCount } =
    await host.service.describeBatchOperation({ namespace, jobId });
  return {
    state: (BatchOperationState[state ?? 0] ?? '').slice('BATCH_OPERATION_STATE_'.length),
    total: Number(totalOperationCount),
    completed: Number(completeOperationCount),
    failed: Number(failureOperationCount),
  };
}

async function crowd(host: Host, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `run-${String(index).padStart(3, '0')}`);
  for (const id of ids) await host.start(id);
  return ids;
}

async function signalsOf(host: Host, workflowId: string): Promise<number> {
  const names = await host.names(workflowId);
  return names.filter((name) => name === 'WorkflowExecutionSignaled').length;
}

export function describeBatches(scenario: Scenario): void {
  scenario('A batch terminates the runs of a query and no others', async (host, world) => {
    const ids = await crowd(host, 3);
    await host.start('other', { workflowType: { name: 'Parcel' } });
    await start(host, 'job', {
      terminationOperation: { identity: 'ada' },
      visibilityQuery: `${all} AND ExecutionStatus = 'Running'`,
    });
    await world.clock.advance(2_000);
    expect(await described(host, 'job')).toEqual({
      state: 'COMPLETED',
      total: 3,
      completed: 3,
      failed: 0,
    });
    expect(await host.listed("ExecutionStatus = 'Terminated'")).toEqual(ids);
    expect(await host.status('other')).toBe('RUNNING');
    const event = await host.event('run-001', 'WorkflowExecutionTerminated');
    expect(event.workflowExecutionTerminatedEventAttributes).toMatchObject({
      reason: 'spring',
      identity: 'ada',
    });
    const { operationInfo } = await host.service.listBatchOperations({ namespace });
    expect(operationInfo).toMatchObject([
      {
        jobId: 'job',
        state: BatchOperationState.BATCH_OPERATION_STATE_COMPLETED,
        operationType: BatchOperationType.BATCH_OPERATION_TYPE_TERMINATE,
      },
    ]);
    // It is no workflow.
    expect(await host.listed()).toEqual(['other', ...ids]);
  });

  scenario(
    'A batch of what only open runs have a use for counts no others',
    async (host, world) => {
      const [first = '', second = '', third = ''] = await crowd(host, 3);
      await host.start('waiting', { workflowStartDelay: durationOf(60_000) });
      await host.service.terminateWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: first },
      });
      await host.service.pauseWorkflowExecution({ namespace, workflowId: third, reason: 'audit' });
      await start(host, 'signals', { signalOperation: { signal: 'go' } });
      await world.clock.advance(2_000);
      expect(await described(host, 'signals')).toMatchObject({ total: 3, completed: 3 });
      const ids = [first, second, third, 'waiting'];
      expect(await Promise.all(ids.map((id) => signalsOf(host, id)))).toEqual([0, 1, 1, 1]);
      await start(host, 'deletions', { deletionOperation: {} });
      await world.clock.advance(2_000);
      expect(await described(host, 'deletions')).toMatchObject({ total: 4, completed: 4 });
    },
  );

  scenario(
    'A batch keeps its pace, page after page',
    async (host, world) => {
      await crowd(host, 230);
      const began = world.clock.now;
      await start(host, 'job', {
        signalOperation: { signal: 'go' },
        maxOperationsPerSecond: 40,
      });
      await world.clock.advance(0);
      expect((await described(host, 'job')).completed).toBe(40);
      await world.clock.advance(1_000);
      expect(await described(host, 'job')).toEqual({
        state: 'RUNNING',
        total: 230,
        completed: 80,
        failed: 0,
      });
      while ((await described(host, 'job')).state === 'RUNNING') await world.clock.advance(1_000);
      expect(world.clock.now - began).toBeGreaterThanOrEqual(5_000);
      expect((await described(host, 'job')).completed).toBe(230);
      for (const id of ['run-000', 'run-029', 'run-030', 'run-229']) {
        expect(await signalsOf(host, id)).toBe(1);
      }
    },
    // A server that is asked for more than this keeps to it.
    { limits: { batchOperationsPerSecond: 100 } },
  );

  scenario(
    'A batch outlives the process that does it, and signals each run once',
    async (host, world) => {
      const ids = await crowd(host, 12);
      await start(host, 'job', {
        signalOperation: { signal: 'go' },
        maxOperationsPerSecond: 5,
      });
      await world.clock.advance(0);
      expect((await described(host, 'job')).completed).toBe(5);
      await host.vanish();
      const other = await world.host();
      for (let second = 0; second < 60; second += 1) {
        if ((await described(other, 'job')).state !== 'RUNNING') break;
        await world.clock.advance(1_000);
      }
      expect(await described(other, 'job')).toMatchObject({ state: 'COMPLETED', completed: 12 });
      for (const id of ids) expect(await signalsOf(other, id)).toBe(1);
    },
  );

  scenario('A batch whose process dies within a step does that step once', async (host, world) => {
    const ids = await crowd(host, 20);
    await start(host, 'job', { signalOperation: { signal: 'go' } });
    await host.vanish();
    const other = await world.host();
    await world.clock.advance(10_000);
    expect(await described(other, 'job')).toEqual({
      state: 'COMPLETED',
      total: 20,
      completed: 20,
      failed: 0,
    });
    for (const id of ids) expect(await signalsOf(other, id)).toBe(1);
  });

  scenario('A batch that is stopped leaves the rest alone', async (host, world) => {
    await crowd(host, 10);
    await start(host, 'job', { signalOperation: { signal: 'go' }, maxOperationsPerSecond: 2 });
    await world.clock.advance(1_000);
    await host.service.stopBatchOperation({ namespace, jobId: 'job', reason: 'enough' });
    await world.clock.advance(60_000);
    expect(await described(host, 'job')).toEqual({
      state: 'FAILED',
      total: 10,
      completed: 4,
      failed: 0,
    });
    const stopped = host.service.stopBatchOperation({ namespace, jobId: 'job', reason: 'enough' });
    expect((await refused(stopped)).code).toBe('NOT_FOUND');
  });

  scenario('A batch cancels, resets and deletes the runs it is given', async (host, world) => {
    const [a = '', b = '', c = ''] = await crowd(host, 3);
    const runId = (await host.describe(b)).workflowExecutionInfo?.execution?.runId ?? '';
    await host.turn();
    await host.turn();
    await host.turn();
    const named = (...ids: string[]) => ({ executions: ids.map((workflowId) => ({ workflowId })) });
    const run = async (jobId: string, request: Batch) => {
      await start(host, jobId, request);
      await world.clock.advance(1_000);
      return described(host, jobId);
    };
    expect(await run('cancel', { ...named(a), cancellationOperation: {} })).toMatchObject({
      completed: 1,
    });
    expect(await host.names(a)).toContain('WorkflowExecutionCancelRequested');
    const reset = { options: { lastWorkflowTask: {} } };
    expect(await run('reset', { ...named(b), resetOperation: reset })).toMatchObject({
      completed: 1,
      failed: 0,
    });
    expect(await host.status(b, runId)).toBe('TERMINATED');
    expect(await host.names(b)).toContain('WorkflowTaskFailed');
    const build = { options: { buildId: 'unknown' } };
    expect(await run('build', { ...named(b), resetOperation: build })).toMatchObject({
      completed: 0,
      failed: 1,
    });
    expect(await run('delete', { ...named(c, 'nobody'), deletionOperation: {} })).toMatchObject({
      completed: 2,
    });
    expect((await refused(host.describe(c))).code).toBe('NOT_FOUND');
    expect(await described(host, 'cancel')).toMatchObject({ state: 'COMPLETED', total: 1 });
  });

  scenario('A batch changes, resets and unpauses activities (AC-15)', async (host, world) => {
    for (const id of ['a', 'b']) {
      await host.start(id);
      await host.turn([step('s')]);
      await host.service.pauseActivity({ namespace, execution: { workflowId: id }, id: 's' });
    }
    await host.start('idle');
    await start(host, 'options', {
      updateActivityOptionsOperation: {
        type: 'Charge',
        activityOptions: { heartbeatTimeout: durationOf(3_000) },
        updateMask: { paths: ['heartbeat_timeout'] },
      },
    });
    await world.clock.advance(1_000);
    // A run without such an activity has nothing to be done to.
    expect(await described(host, 'options')).toMatchObject({ completed: 3, failed: 0 });
    expect(await host.tryPollStep()).toBeUndefined();
    await start(host, 'unpause', { unpauseActivitiesOperation: { type: 'Charge' } });
    await world.clock.advance(1_000);
    expect(await described(host, 'unpause')).toMatchObject({ total: 2, completed: 2 });
    const task = await host.pollStep();
    expect(Number(task.heartbeatTimeout?.seconds)).toBe(3);
    await host.failStep(task);
    await start(host, 'reset', { resetActivitiesOperation: { matchAll: true } });
    await world.clock.advance(1_000);
    const attempts = [await host.pollStep(), await host.pollStep()].map(({ attempt }) => attempt);
    expect(attempts).toEqual([1, 1]);
  });

  scenario('A batch that repeats a step resets activities once', async (first, world) => {
    await first.vanish();
    const tap = new StoreTap();
    const host = await world.host({ wrap: tap.wrap });
    const attempt = async () =>
      (await host.describe('a')).pendingActivities?.map((pending) => pending.attempt);
    await host.start('a');
    await host.turn([step('s')]);
    await host.failStep(await host.pollStep());
    await world.clock.advance(5_000);
    expect(await attempt()).toEqual([2]);
    await start(host, 'job', {
      executions: [{ workflowId: 'a' }],
      resetActivitiesOperation: { matchAll: true },
    });
    // What the batch did is written, and that it did so is not.
    let commits = 0;
    tap.before = () => {
      commits += 1;
      if (commits === 2) tap.failures = [new StoreError('STORE_BUSY', 'no room')];
    };
    await world.clock.settle();
    tap.before = undefined;
    expect(await attempt()).toEqual([1]);
    expect(await described(host, 'job')).toMatchObject({ state: 'RUNNING', completed: 0 });
    await host.failStep(await host.pollStep());
    expect(await attempt()).toEqual([2]);
    await world.clock.advance(10_000);
    expect(await described(host, 'job')).toMatchObject({ state: 'COMPLETED', completed: 1 });
    expect(await attempt()).toEqual([2]);
  });

  scenario('A batch changes the options of runs', async (host, world) => {
    const ids = await crowd(host, 3);
    await start(host, 'job', {
      updateWorkflowOptionsOperation: {
        workflowExecutionOptions: { priority: { priorityKey: 1 } },
        updateMask: { paths: ['priority'] },
      },
    });
    await world.clock.advance(1_000);
    expect(await described(host, 'job')).toMatchObject({ state: 'COMPLETED', completed: 3 });
    for (const id of ids) {
      const { workflowExecutionInfo } = await host.describe(id);
      expect(workflowExecutionInfo?.priority?.priorityKey).toBe(1);
    }
  });

  scenario('A batch that makes no sense is refused', async (host) => {
    const operation = { terminationOperation: {} };
    const cases: readonly (readonly [Batch, string])[] = [
      [{}, 'INVALID_ARGUMENT'],
      [{ ...operation, reason: '' }, 'INVALID_ARGUMENT'],
      [{ ...operation, jobId: '' }, 'INVALID_ARGUMENT'],
      [{ ...operation, visibilityQuery: '' }, 'INVALID_ARGUMENT'],
      [{ ...operation, visibilityQuery: 'Nope = 1' }, 'INVALID_ARGUMENT'],
      [
        { ...operation, visibilityQuery: all, executions: [{ workflowId: 'a' }] },
        'INVALID_ARGUMENT',
      ],
      [{ ...operation, executions: [{ runId: 'x' }] }, 'INVALID_ARGUMENT'],
      [{ ...operation, maxOperationsPerSecond: -1 }, 'INVALID_ARGUMENT'],
      [{ signalOperation: {} }, 'INVALID_ARGUMENT'],
      [{ resetOperation: {} }, 'INVALID_ARGUMENT'],
      [{ resetActivitiesOperation: {} }, 'INVALID_ARGUMENT'],
      [{ cancelActivitiesOperation: {} }, 'INVALID_ARGUMENT'],
      [
        { ...operation, executions: Array.from({ length: 1_001 }, () => ({ workflowId: 'a' })) },
        'INVALID_ARGUMENT',
      ],
    ];
    for (const [request, code] of cases) {
      const refusal = await refused(start(host, 'job', request));
      expect({ request, code: refusal.code }).toEqual({ request, code });
    }
    const unknown = host.service.describeBatchOperation({ namespace, jobId: 'job' });
    expect((await refused(unknown)).code).toBe('NOT_FOUND');
  });

  scenario('One batch runs at once, and a job id is used once', async (host, world) => {
    await crowd(host, 4);
    const signal = { signalOperation: { signal: 'go' }, maxOperationsPerSecond: 1 };
    await start(host, 'job', signal);
    expect((await refused(start(host, 'other', signal))).code).toBe('RESOURCE_EXHAUSTED');
    await world.clock.advance(10_000);
    expect((await refused(start(host, 'job', signal))).code).toBe('ALREADY_EXISTS');
    await start(host, 'other', signal);
  });
}
