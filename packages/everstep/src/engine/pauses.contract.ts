/** Runs that stand still, and options of activities that an operator changes. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import { durationOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { completeRun, continueAsNew, step, timer } from '../../test/command-kit.ts';
import { msOfDuration, msOfTimestamp } from '../core/time.ts';

const { PendingActivityState, WorkflowExecutionStatus, WorkflowTaskFailedCause } =
  proto.temporal.api.enums.v1;
type UpdateOptions = temporal.api.workflowservice.v1.IUpdateActivityOptionsRequest;
const namespace = 'default';
const named = { namespace, workflowId: 'a' };
const activities = { namespace, execution: { workflowId: 'a' } };

async function activityOf(host: Host, index = 0) {
  return (await host.describe('a')).pendingActivities?.[index] ?? {};
}

export function describePauses(scenario: Scenario): void {
  scenario(
    'A paused run gets no workflow task, keeps what comes, and goes on with it (PZ-1)',
    async (host, world) => {
      await host.start('a');
      await host.service.pauseWorkflowExecution({ ...named, identity: 'ada', reason: 'audit' });
      expect(await host.tryPoll()).toBeUndefined();
      await host.signal('a');
      expect(await host.tryPoll()).toBeUndefined();
      const { workflowExtendedInfo } = await host.describe('a');
      expect(workflowExtendedInfo?.pauseInfo).toMatchObject({ identity: 'ada', reason: 'audit' });
      expect(msOfTimestamp(workflowExtendedInfo?.pauseInfo?.pausedTime)).toBe(world.clock.now);
      expect(await host.status('a')).toBe('PAUSED');
      expect(await host.listed("ExecutionStatus = 'Paused'")).toEqual(['a']);
      expect(await host.listed("TemporalPauseInfo = 'Reason:audit'")).toEqual(['a']);
      expect(await host.listed("ExecutionStatus = 'Running'")).toEqual([]);
      await host.service.unpauseWorkflowExecution(named);
      expect(await host.status('a')).toBe('RUNNING');
      expect(await host.listed('TemporalPauseInfo IS NULL')).toEqual(['a']);
      const task = await host.poll();
      expect(task.attempt).toBe(1);
      await host.complete(task, [completeRun()]);
      expect(await host.names('a')).toEqual([
        'WorkflowExecutionStarted',
        'WorkflowTaskScheduled',
        'WorkflowExecutionPaused',
        'WorkflowTaskFailed',
        'WorkflowExecutionSignaled',
        'WorkflowExecutionUnpaused',
        'WorkflowTaskScheduled',
        'WorkflowTaskStarted',
        'WorkflowTaskCompleted',
        'WorkflowExecutionCompleted',
      ]);
      const failed = await host.event('a', 'WorkflowTaskFailed');
      expect(failed.workflowTaskFailedEventAttributes?.cause).toBe(
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED,
      );
    },
  );

  scenario(
    'A workflow task in flight may finish, and what it schedules waits (PZ-1)',
    async (host, world) => {
      await host.start('a');
      const task = await host.poll();
      await host.service.pauseWorkflowExecution(named);
      await host.complete(task, [step('s'), timer('t', 1_000)]);
      expect(await host.tryPollStep()).toBeUndefined();
      await world.clock.advance(5_000);
      expect(await host.tryPoll()).toBeUndefined();
      expect(await host.names('a', '', 4)).toEqual([
        'WorkflowTaskCompleted',
        'ActivityTaskScheduled',
        'TimerStarted',
        'WorkflowExecutionPaused',
        'TimerFired',
      ]);
      await host.service.unpauseWorkflowExecution(named);
      await host.completeStep(await host.pollStep());
      await host.turn([completeRun()]);
      expect(await host.status('a')).toBe('COMPLETED');
    },
  );

  scenario(
    'Activities of a paused run are given to nobody; one that runs may finish or fail (PZ-1)',
    async (host, world) => {
      await host.start('a');
      await host.turn([step('s'), step('t')]);
      const running = await host.pollStep();
      await host.service.pauseWorkflowExecution(named);
      expect(await host.tryPollStep()).toBeUndefined();
      await host.failStep(running);
      await world.clock.advance(60_000);
      expect(await host.tryPollStep()).toBeUndefined();
      await host.service.unpauseWorkflowExecution(named);
      const tasks = [await host.pollStep(), await host.pollStep()];
      expect(tasks.map(({ activityId, attempt }) => `${activityId}${attempt}`).sort()).toEqual([
        's2',
        't1',
      ]);
      expect(await host.tryPollStep()).toBeUndefined();
    },
  );

  scenario(
    'A paused run can be terminated and times out, and is not asked or updated (PZ-1)',
    async (host, world) => {
      await host.start('a', { workflowRunTimeout: durationOf(10_000) });
      await host.turn();
      await host.service.pauseWorkflowExecution({ ...named, requestId: 'p' });
      await host.service.pauseWorkflowExecution({ ...named, requestId: 'p' });
      const again = host.service.pauseWorkflowExecution(named);
      expect((await refused(again)).code).toBe('FAILED_PRECONDITION');
      expect((await host.query('a')).queryRejected?.status).toBe(
        WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED,
      );
      const update = host.service.updateWorkflowExecution({
        namespace,
        workflowExecution: { workflowId: 'a' },
        waitPolicy: { lifecycleStage: 2 },
        request: { meta: { updateId: 'u' }, input: { name: 'add' } },
      });
      expect((await refused(update)).code).toBe('FAILED_PRECONDITION');
      await world.clock.advance(10_000);
      expect(await host.status('a')).toBe('TIMED_OUT');
      expect((await refused(host.service.unpauseWorkflowExecution(named))).code).toBe('NOT_FOUND');
      await host.start('b');
      await host.service.pauseWorkflowExecution({ ...named, workflowId: 'b' });
      await host.terminate('b');
      expect(await host.status('b')).toBe('TERMINATED');
      expect(
        (await refused(host.service.unpauseWorkflowExecution({ ...named, workflowId: 'b' }))).code,
      ).toBe('NOT_FOUND');
    },
  );

  scenario(
    'A pause during the first backoff outlives it, and a process (PZ-1, MS-6)',
    async (host, world) => {
      await host.start('a', { workflowStartDelay: durationOf(5_000) });
      await host.service.pauseWorkflowExecution(named);
      const other = await world.host();
      await host.vanish();
      await world.clock.advance(10_000);
      expect(await other.status('a')).toBe('PAUSED');
      expect(await other.tryPoll()).toBeUndefined();
      await other.service.unpauseWorkflowExecution(named);
      await other.turn([completeRun()]);
      expect(await other.status('a')).toBe('COMPLETED');
      await other.start('b', { workflowStartDelay: durationOf(5_000) });
      await other.service.pauseWorkflowExecution({ ...named, workflowId: 'b' });
      await other.service.unpauseWorkflowExecution({ ...named, workflowId: 'b' });
      expect(await other.tryPoll()).toBeUndefined();
      await world.clock.advance(5_000);
      await other.turn([completeRun()]);
      expect(await other.status('b')).toBe('COMPLETED');
      const notPaused = other.service.unpauseWorkflowExecution({ ...named, workflowId: 'c' });
      expect((await refused(notPaused)).code).toBe('NOT_FOUND');
    },
  );

  scenario('The priority of a run is changed, and carried on', async (host) => {
    await host.start('a', { priority: { priorityKey: 3, fairnessKey: 'shop' } });
    const change = (paths: string[], priority: object | null) =>
      host.service.updateWorkflowExecutionOptions({
        namespace,
        workflowExecution: { workflowId: 'a' },
        workflowExecutionOptions: { priority },
        updateMask: { paths },
        identity: 'ada',
      });
    const { workflowExecutionOptions } = await change(['priority.priority_key'], {
      priorityKey: 1,
    });
    expect(workflowExecutionOptions?.priority).toEqual({ priorityKey: 1, fairnessKey: 'shop' });
    await change(['priority.priorityKey'], { priorityKey: 1 });
    const named = (await host.names('a')).filter(
      (name) => name === 'WorkflowExecutionOptionsUpdated',
    );
    expect(named).toHaveLength(1);
    await change(['priority'], null);
    expect((await host.describe('a')).workflowExecutionInfo?.priority).toEqual({});
    await change(['priority'], { priorityKey: 2 });
    await host.turn([continueAsNew()]);
    expect((await host.describe('a')).workflowExecutionInfo?.priority).toEqual({ priorityKey: 2 });
    for (const [paths, priority] of [
      [['priority'], { priorityKey: -1 }],
      [['versioning_override'], {}],
      [[], {}],
    ] as [string[], object][]) {
      expect((await refused(change(paths, priority))).code).toBe('INVALID_ARGUMENT');
    }
    await host.terminate('a');
    expect((await refused(change(['priority'], {}))).code).toBe('NOT_FOUND');
  });

  scenario(
    'A running attempt is asked to pause, and a waiting activity is paused (AC-15)',
    async (host) => {
      await host.start('a');
      await host.turn([step('s')]);
      const stateOf = async () => (await activityOf(host)).state;
      await host.service.pauseActivity({ ...activities, id: 's' });
      expect(await stateOf()).toBe(PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED);
      await host.service.unpauseActivity({ ...activities, id: 's' });
      const running = await host.pollStep();
      await host.service.pauseActivity({ ...activities, id: 's' });
      expect(await stateOf()).toBe(PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
      await host.failStep(running);
      expect(await stateOf()).toBe(PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED);
    },
  );

  scenario('The options of an activity that waits are changed (AC-15)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    const { activityOptions } = await host.service.updateActivityOptions({
      ...activities,
      id: 's',
      activityOptions: {
        taskQueue: { name: 'other' },
        startToCloseTimeout: durationOf(3_000),
        heartbeatTimeout: durationOf(60_000),
        retryPolicy: { maximumAttempts: 7 },
      },
      updateMask: {
        paths: [
          'task_queue.name',
          'start_to_close_timeout',
          'heartbeatTimeout',
          'retry_policy.maximum_attempts',
        ],
      },
    });
    expect(activityOptions?.taskQueue).toEqual({ name: 'other', kind: 1 });
    expect(msOfDuration(activityOptions?.heartbeatTimeout)).toBe(3_000);
    expect(activityOptions?.retryPolicy?.maximumAttempts).toBe(7);
    expect(await host.tryPollStep()).toBeUndefined();
    const task = await host.pollStep('other');
    expect(msOfDuration(task.startToCloseTimeout)).toBe(3_000);
    expect(await host.tryPollStep('other')).toBeUndefined();
  });

  scenario(
    'New options hold for the attempt that runs, and for the backoff that is under way (AC-15)',
    async (host, world) => {
      await host.start('a');
      await host.turn([step('s')]);
      await host.pollStep();
      await host.service.updateActivityOptions({
        ...activities,
        type: 'Charge',
        activityOptions: {
          startToCloseTimeout: durationOf(2_000),
          retryPolicy: { initialInterval: durationOf(90_000) },
        },
        updateMask: { paths: ['startToCloseTimeout', 'retryPolicy.initialInterval'] },
      });
      await world.clock.advance(2_000);
      expect((await activityOf(host)).attempt).toBe(2);
      await world.clock.advance(60_000);
      expect(await host.tryPollStep()).toBeUndefined();
      await host.service.updateActivityOptions({
        ...activities,
        matchAll: true,
        activityOptions: { retryPolicy: { initialInterval: durationOf(61_000) } },
        updateMask: { paths: ['retryPolicy.initialInterval'] },
      });
      expect(await host.tryPollStep()).toBeUndefined();
      await world.clock.advance(1_000);
      expect((await host.pollStep()).attempt).toBe(2);
    },
  );

  scenario('A changed timeout is not cut to that of the run (AC-15)', async (host) => {
    await host.start('a', { workflowRunTimeout: durationOf(60_000) });
    await host.turn([step('s', { scheduleToCloseTimeout: durationOf(90_000) })]);
    const timeoutOf = async () =>
      msOfDuration((await activityOf(host)).activityOptions?.scheduleToCloseTimeout);
    expect(await timeoutOf()).toBe(60_000);
    await host.service.updateActivityOptions({
      ...activities,
      id: 's',
      activityOptions: { scheduleToCloseTimeout: durationOf(90_000) },
      updateMask: { paths: ['scheduleToCloseTimeout'] },
    });
    expect(await timeoutOf()).toBe(90_000);
  });

  scenario('The options of an activity are set back to what they were (AC-15)', async (host) => {
    await host.start('a');
    await host.turn([step('s', { retryPolicy: { nonRetryableErrorTypes: ['Declined'] } })]);
    const before = (await activityOf(host)).activityOptions;
    const change = {
      ...activities,
      id: 's',
      activityOptions: { taskQueue: { name: 'other' } },
      updateMask: { paths: ['taskQueue.name'] },
    };
    await host.service.updateActivityOptions(change);
    expect((await activityOf(host)).activityOptions).not.toEqual(before);
    await host.service.updateActivityOptions({ ...activities, id: 's', restoreOriginal: true });
    expect((await activityOf(host)).activityOptions).toEqual(before);
    await host.service.updateActivityOptions(change);
    await host.service.resetActivity({
      ...activities,
      matchAll: true,
      restoreOriginalOptions: true,
    });
    await host.failStep(await host.pollStep());
    expect((await host.names('a')).slice(-2)).toEqual([
      'ActivityTaskFailed',
      'WorkflowTaskScheduled',
    ]);
  });

  scenario(
    'A change of options that makes no sense is refused, and changes nothing (AC-15)',
    async (host) => {
      await host.start('a');
      await host.turn([step('s')]);
      const before = await activityOf(host);
      const { updateActivityOptions } = host.service;
      const options = { activityOptions: {}, updateMask: { paths: ['heartbeat_timeout'] } };
      const cases: readonly (readonly [UpdateOptions, string])[] = [
        [{ ...options, id: 'other' }, 'NOT_FOUND'],
        [{ ...options, type: 'Other' }, 'NOT_FOUND'],
        [options, 'INVALID_ARGUMENT'],
        [{ id: 's', updateMask: { paths: ['heartbeat_timeout'] } }, 'INVALID_ARGUMENT'],
        [{ id: 's', activityOptions: {} }, 'INVALID_ARGUMENT'],
        [{ ...options, id: 's', restoreOriginal: true }, 'INVALID_ARGUMENT'],
        [
          { id: 's', activityOptions: {}, updateMask: { paths: ['start_delay'] } },
          'INVALID_ARGUMENT',
        ],
        [
          { id: 's', activityOptions: {}, updateMask: { paths: ['task_queue.name'] } },
          'INVALID_ARGUMENT',
        ],
        [
          {
            id: 's',
            activityOptions: { startToCloseTimeout: durationOf(-1_000) },
            updateMask: { paths: ['start_to_close_timeout'] },
          },
          'INVALID_ARGUMENT',
        ],
        [
          {
            id: 's',
            activityOptions: { retryPolicy: { backoffCoefficient: 0.5 } },
            updateMask: { paths: ['retry_policy.backoff_coefficient'] },
          },
          'INVALID_ARGUMENT',
        ],
      ];
      for (const [request, code] of cases) {
        const refusal = await refused(updateActivityOptions({ ...activities, ...request }));
        expect({ request, code: refusal.code }).toEqual({ request, code });
      }
      expect(await activityOf(host)).toEqual(before);
    },
  );

  scenario(
    'A paused activity says who paused it, and goes on within the jitter (AC-15)',
    async (host, world) => {
      await host.start('a');
      await host.turn([step('s')]);
      await host.service.pauseActivity({
        ...activities,
        id: 's',
        identity: 'ada',
        reason: 'audit',
      });
      expect((await activityOf(host)).pauseInfo?.manual).toEqual({
        identity: 'ada',
        reason: 'audit',
      });
      expect(await host.listed("TemporalPauseInfo = 'property:activityType=Charge'")).toEqual([
        'a',
      ]);
      await host.service.unpauseActivity({ ...activities, id: 's', jitter: durationOf(10_000) });
      expect((await activityOf(host)).pauseInfo).toBeUndefined();
      expect(await host.tryPollStep()).toBeUndefined();
      await world.clock.advance(5_000);
      await host.completeStep(await host.pollStep());
      const none = host.service.resetActivity({ ...activities, matchAll: true });
      expect((await refused(none)).code).toBe('NOT_FOUND');
    },
  );
}
