import { describe, expect, it } from 'vitest';
import { CoreDriver, payloadsOf, refusalOf } from '../../test/core-driver.ts';
import type { DriverOptions } from '../../test/core-driver.ts';
import { CommandType, RetryState } from './proto.ts';
import type { Command } from './proto.ts';
import { durationOf, msOfDuration } from './time.ts';
import { wakeAt } from './wake.ts';

const complete: Command = {
  commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
  completeWorkflowExecutionCommandAttributes: { result: payloadsOf('done') },
};
const fail = (nonRetryable = false): Command => ({
  commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
  failWorkflowExecutionCommandAttributes: {
    failure: { message: 'bad', applicationFailureInfo: { type: 'E', nonRetryable } },
  },
});
const cancel: Command = {
  commandType: CommandType.COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
  cancelWorkflowExecutionCommandAttributes: {},
};
const child: Command = {
  commandType: CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
  startChildWorkflowExecutionCommandAttributes: {
    workflowId: 'child',
    workflowType: { name: 'c' },
    taskQueue: { name: 'q' },
  },
};
const parent = {
  namespaceId: 'ns-id',
  namespace: 'default',
  workflowId: 'p',
  runId: 'p-run',
  initiatedEventId: 5,
};
const closed = (command: Command, options: DriverOptions = {}) => {
  const run = new CoreDriver(options);
  run.turn([command]);
  return run;
};

describe('close commands', () => {
  it.each([
    [complete, 'completed'],
    [fail(), 'failed'],
    [cancel, 'canceled'],
  ])('close the run for good (MS-6)', (command, status) => {
    const run = closed(command);
    expect(run.state).toMatchObject({ status, closeTime: run.now });
    expect(run.state.workflowTask).toBeUndefined();
    expect(wakeAt(run.state)).toBe(0);
    expect(refusalOf(run.signal()).code).toBe('NOT_FOUND');
    expect(run.wrote()).toEqual([]);
  });

  it('a close without attributes fails the task (WT-19)', () => {
    const run = new CoreDriver();
    run.poll();
    const answer = run.complete([
      { commandType: CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION },
    ]);
    expect(refusalOf(answer).message).toBe(
      'BadCompleteWorkflowExecutionAttributes: CompleteWorkflowExecutionCommandAttributes is not set on CompleteWorkflowExecutionCommand.',
    );
  });
});

describe('terminate', () => {
  it('writes the forced failure of a started task, the buffer, and Terminated (EV-1)', () => {
    const run = new CoreDriver();
    run.poll();
    run.signal();
    run.terminate();
    expect(run.wrote()).toEqual([
      'WorkflowTaskFailed',
      'WorkflowExecutionSignaled',
      'WorkflowExecutionTerminated',
    ]);
    expect(run.event('WorkflowTaskFailed').workflowTaskFailedEventAttributes?.cause).toBe(17);
  });

  it('a closed run is not found (TR-1)', () => {
    const run = closed(complete);
    expect(refusalOf(run.terminate())).toEqual({
      code: 'NOT_FOUND',
      message: 'workflow execution already completed',
    });
  });

  it('the processes that run its activities are told', () => {
    const run = new CoreDriver();
    run.turn([
      {
        commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: {
          activityId: 'a',
          activityType: { name: 'x' },
          taskQueue: { name: 'q' },
          startToCloseTimeout: durationOf(1_000),
        },
      },
    ]);
    const [activity] = run.state.activities.values();
    run.ok<'startActivity'>({
      kind: 'startActivity',
      scheduledEventId: activity?.scheduledEventId ?? 0,
      stamp: activity?.stamp ?? 0,
      requestId: 'r',
      identity: 'w',
      processId: 'p1',
    });
    run.terminate();
    expect(run.last.interrupts).toMatchObject([
      { processId: 'p1', activityId: 'a', reason: 'gone' },
    ]);
  });
});

describe('chain', () => {
  const retryPolicy = { initialInterval: durationOf(2_000), maximumAttempts: 2 };

  it('continue-as-new closes the old run and makes the new one in one commit (CN-1)', () => {
    const run = closed(
      {
        commandType: CommandType.COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
        continueAsNewWorkflowExecutionCommandAttributes: { workflowType: { name: 'other' } },
      },
      {
        request: {
          workflowExecutionTimeout: durationOf(100_000),
          workflowTaskTimeout: durationOf(7_000),
        },
      },
    );
    expect(run.wrote()).toEqual(['WorkflowTaskCompleted', 'WorkflowExecutionContinuedAsNew']);
    const next = run.last.nextRun;
    expect(run.state.newRunId).toBe(next?.state.runId);
    expect(next?.state).toMatchObject({
      firstRunId: 'run-1',
      workflowType: 'other',
      taskQueue: 'q',
      executionExpirationTime: run.state.executionExpirationTime,
      workflowTaskTimeoutMs: 7_000,
      status: 'running',
    });
    expect(next?.tasks).toHaveLength(1);
  });

  it('a failure is retried while the policy allows, and the close names the new run (CN-2)', () => {
    const run = closed(fail(), { request: { retryPolicy, input: payloadsOf('in') } });
    const next = run.last.nextRun;
    expect(
      run.event('WorkflowExecutionFailed').workflowExecutionFailedEventAttributes,
    ).toMatchObject({
      retryState: RetryState.RETRY_STATE_IN_PROGRESS,
      newExecutionRunId: next?.state.runId,
    });
    expect(next?.state).toMatchObject({ attempt: 2, status: 'created', firstTaskBackoffMs: 2_000 });
    expect(next?.events[0]?.workflowExecutionStartedEventAttributes).toMatchObject({
      initiator: 2,
      input: payloadsOf('in'),
      continuedFailure: { message: 'bad' },
    });
    expect(wakeAt(next?.state ?? run.state)).toBe(run.now + 2_000);
  });

  it.each([
    ['no policy', {}, fail(), RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET],
    [
      'one attempt',
      { retryPolicy: { maximumAttempts: 1 } },
      fail(),
      RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    ],
    ['not retryable', { retryPolicy }, fail(true), RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE],
    [
      'no time',
      { retryPolicy, workflowExecutionTimeout: durationOf(1_000) },
      fail(),
      RetryState.RETRY_STATE_TIMEOUT,
    ],
  ])(
    'a failure with %s ends the chain and says why (CN-2)',
    (_why, request, command, retryState) => {
      const run = closed(command, { request });
      expect(
        run.event('WorkflowExecutionFailed').workflowExecutionFailedEventAttributes?.retryState,
      ).toBe(retryState);
      expect(run.last.nextRun).toBeUndefined();
    },
  );

  it('cancel and terminate are not retried (CN-2)', () => {
    expect(closed(cancel, { request: { retryPolicy } }).last.nextRun).toBeUndefined();
    const run = new CoreDriver({ request: { retryPolicy } });
    run.terminate();
    expect(run.last.nextRun).toBeUndefined();
  });

  it('a cron run comes again after success with its result, and after failure with the last one (CN-3)', () => {
    const run = new CoreDriver({ request: { cronSchedule: '0 * * * *' } });
    run.wake();
    run.turn([complete]);
    const started = run.last.nextRun?.events[0]?.workflowExecutionStartedEventAttributes;
    expect(started).toMatchObject({
      initiator: 3,
      lastCompletionResult: payloadsOf('done'),
      attempt: 1,
    });
    expect(msOfDuration(started?.firstWorkflowTaskBackoff)).toBe(3_600_000);

    const failing = new CoreDriver({
      request: { cronSchedule: '0 * * * *', lastCompletionResult: payloadsOf(1) },
    });
    failing.wake();
    failing.turn([fail()]);
    expect(failing.last.nextRun?.events[0]?.workflowExecutionStartedEventAttributes).toMatchObject({
      lastCompletionResult: payloadsOf(1),
      continuedFailure: { message: 'bad' },
    });
  });

  it('a run timeout writes TimedOut and is retried (CN-4)', () => {
    const run = new CoreDriver({ request: { retryPolicy, workflowRunTimeout: durationOf(5_000) } });
    run.wake();
    expect(run.wrote()).toEqual(['WorkflowExecutionTimedOut']);
    expect(run.last.nextRun?.state.attempt).toBe(2);
  });

  it('an execution timeout ends the chain (CN-4)', () => {
    const run = new CoreDriver({
      request: { retryPolicy, cronSchedule: '', workflowExecutionTimeout: durationOf(5_000) },
    });
    run.poll();
    run.wake();
    expect(run.wrote()).toEqual(['WorkflowTaskFailed', 'WorkflowExecutionTimedOut']);
    expect(run.last.nextRun).toBeUndefined();
  });
});

describe('family', () => {
  it('the parent hears of the close at the end of the chain only (CH-3)', () => {
    const run = closed(complete, { start: { parent } });
    expect(run.outbox).toEqual([{ kind: 'notifyParent' }]);
    const retried = closed(fail(), { start: { parent }, request: { retryPolicy: {} } });
    expect(retried.outbox).toEqual([]);
    expect(retried.last.nextRun?.state.parent).toEqual(parent);
  });

  it('a close ends the children as their policy says (CH-4)', () => {
    const run = new CoreDriver();
    run.turn([child]);
    run.ok<'childStarted'>({ kind: 'childStarted', initiatedEventId: 5, childRunId: 'c-run' });
    run.turn([complete]);
    expect(run.outbox).toContainEqual({
      kind: 'closeChild',
      policy: 'terminate',
      namespaceId: 'ns-id',
      workflowId: 'child',
      runId: 'c-run',
    });
  });
});

it('a run whose history outgrows its limit is terminated (section 14)', () => {
  const run = new CoreDriver({ limits: { historyEventsMax: 4 } });
  run.signal();
  run.signal();
  expect(run.state.status).toBe('running');
  run.signal();
  expect(run.wrote()).toEqual(['WorkflowExecutionSignaled', 'WorkflowExecutionTerminated']);
  expect(
    run.event('WorkflowExecutionTerminated').workflowExecutionTerminatedEventAttributes?.reason,
  ).toBe('Workflow history count exceeds limit.');
});
