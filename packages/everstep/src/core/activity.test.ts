import { describe, expect, test } from 'vitest';
import {
  DraftDriver,
  payloadsOf,
  startedAt,
  startedWorkflowTask,
} from '../../test/draft-driver.ts';
import { requestCancelActivity, scheduleActivity } from './activity-commands.ts';
import { activityWakeAt, expireActivities, loseActivities } from './activity-timeouts.ts';
import {
  cancelActivity,
  completeActivity,
  failActivity,
  heartbeatActivity,
  startActivity,
} from './activity.ts';
import type { ActivityRef } from './input.ts';
import type { Command, Failure } from './proto.ts';
import { RetryState, TimeoutType, WorkflowTaskFailedCause } from './proto.ts';
import type { RunState } from './state.ts';
import { durationOf, longOf, msOfDuration, msOfTimestamp, numberOf } from './time.ts';

type Attributes = NonNullable<Command['scheduleActivityTaskCommandAttributes']>;

const command = (changes: Attributes = {}): Command => ({
  scheduleActivityTaskCommandAttributes: {
    activityId: 'a',
    activityType: { name: 'Charge' },
    taskQueue: { name: 'main' },
    startToCloseTimeout: durationOf(10_000),
    ...changes,
  },
});
const appFailure = (changes: object = {}): Failure => ({
  message: 'declined',
  applicationFailureInfo: { type: 'Declined', ...changes },
});

class Activities extends DraftDriver {
  static scheduled(changes: Attributes = {}, state: Partial<RunState> = {}): Activities {
    const run = new Activities(state);
    run.accept(scheduleActivity, command(changes));
    return run;
  }

  static started(changes: Attributes = {}, processId?: string): Activities {
    const run = Activities.scheduled(changes);
    run.start(processId);
    return run;
  }

  start(processId?: string, requestId = 'poll') {
    const { scheduledEventId, stamp } = this.activity;
    return this.input(startActivity, {
      kind: 'startActivity',
      scheduledEventId,
      stamp,
      requestId,
      identity: 'worker-1',
      ...(processId && { processId }),
    });
  }

  get ref(): ActivityRef {
    const { scheduledEventId, attempt, stamp } = this.activity;
    return { by: 'token', token: { scheduledEventId, attempt, stamp } };
  }

  fail(failure: Failure | null = appFailure(), ref = this.ref) {
    return this.input(failActivity, { kind: 'failActivity', activity: ref, failure, identity: 'w' });
  }

  complete(ref = this.ref) {
    return this.input(completeActivity, {
      kind: 'completeActivity',
      activity: ref,
      result: payloadsOf('done'),
      identity: 'w',
    });
  }

  heartbeat(ref = this.ref, details = 'half') {
    return this.input(heartbeatActivity, {
      kind: 'heartbeatActivity',
      activity: ref,
      details: payloadsOf(details),
      identity: 'w',
    });
  }

  requestCancel(scheduledEventId = this.activity.scheduledEventId) {
    return this.command(requestCancelActivity, {
      requestCancelActivityTaskCommandAttributes: { scheduledEventId: longOf(scheduledEventId) },
    });
  }

  expire(at: number): void {
    this.now = at;
    this.step((draft) => expireActivities(draft));
  }

  get timeouts(): number[] {
    const attributes = this.last.events[0]?.activityTaskScheduledEventAttributes;
    return [
      attributes?.scheduleToCloseTimeout,
      attributes?.scheduleToStartTimeout,
      attributes?.startToCloseTimeout,
      attributes?.heartbeatTimeout,
    ].map((span) => (span ? msOfDuration(span) : -1));
  }
}

const timeoutOf = (run: Activities) => {
  const attributes = run.last.events.find((event) => event.activityTaskTimedOutEventAttributes)
    ?.activityTaskTimedOutEventAttributes;
  return {
    type: attributes?.failure?.timeoutFailureInfo?.timeoutType,
    retryState: attributes?.retryState,
    failure: attributes?.failure,
  };
};

describe('scheduling', () => {
  test('schedule-to-close fills and caps the other timeouts AC-1', () => {
    const run = Activities.scheduled({
      scheduleToCloseTimeout: durationOf(5_000),
      heartbeatTimeout: durationOf(60_000),
    });
    expect(run.timeouts).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  test('with only start-to-close the run timeout fills the rest, and without one they are 0, never null AC-1', () => {
    expect(Activities.scheduled({}, { runTimeoutMs: 60_000 }).timeouts).toEqual([60_000, 60_000, 10_000, 0]);
    expect(Activities.scheduled().timeouts).toEqual([0, 0, 10_000, 0]);
  });

  test('no timeout exceeds the run timeout AC-1', () => {
    const run = Activities.scheduled(
      { scheduleToCloseTimeout: durationOf(90_000), startToCloseTimeout: durationOf(80_000) },
      { runTimeoutMs: 60_000 },
    );
    expect(run.timeouts).toEqual([60_000, 60_000, 60_000, 0]);
  });

  test('bad attributes fail the task AC-1', () => {
    const messageOf = (changes: Attributes) => {
      const problem = new Activities().command(scheduleActivity, command(changes));
      expect(problem?.cause).toBe(
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
      );
      expect(problem?.terminate).toBeFalsy();
      return problem?.message;
    };
    expect(messageOf({ startToCloseTimeout: null })).toContain('a valid StartToCloseTimeout or ScheduleToCloseTimeout');
    expect(messageOf({ heartbeatTimeout: durationOf(-1) })).toBe('invalid HeartbeatTimeout: negative duration');
    expect(messageOf({ activityId: '' })).toBe('activityId is not set');
    expect(messageOf({ activityType: null })).toBe('activityType is not set');
    expect(messageOf({ taskQueue: null })).toBe('taskQueue is not set');
    expect(messageOf({ activityId: 'x'.repeat(1_001) })).toContain('activityId exceeds length limit');
  });

  test('the event carries the default retry policy and the task goes to its queue AC-2', () => {
    const run = Activities.scheduled({ taskQueue: { name: 'heavy' } });
    expect(run.events).toEqual(['ActivityTaskScheduled']);
    const policy = run.last.events[0]?.activityTaskScheduledEventAttributes?.retryPolicy;
    expect([msOfDuration(policy?.initialInterval), policy?.backoffCoefficient]).toEqual([1_000, 2]);
    expect(run.last.tasks).toEqual([
      { kind: 'activity', taskQueue: 'heavy', normalTaskQueue: '', scheduledEventId: 5, stamp: 0, type: 'Charge' },
    ]);
  });

  test('a pending activity id in use fails the task AC-3', () => {
    const problem = Activities.scheduled().command(scheduleActivity, command());
    expect(problem).toEqual({
      cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
      message: 'invalid history builder state for action: add-activitytask-scheduled-event, ActivityID: a',
    });
  });

  test('an oversized input terminates the run, too many pending activities fail the task WT-20', () => {
    const run = Activities.scheduled();
    run.limits = { ...run.limits, payloadBytesMax: 10, pendingActivitiesMax: 1 };
    const big = run.command(scheduleActivity, command({ activityId: 'b', input: payloadsOf('0123456789') }));
    expect(big).toMatchObject({ terminate: true });
    const many = run.command(scheduleActivity, command({ activityId: 'b' }));
    expect(many).toEqual({
      cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
      message: 'the number of pending activities, 1, has reached the per-workflow limit of 1',
    });
  });

  test('an eager request hands the task to the completion as well AC-16', () => {
    const run = Activities.scheduled({ requestEagerExecution: true });
    expect(run.context.eagerActivities).toEqual(run.last.tasks);
  });
});

describe('starting', () => {
  test('a start is idempotent by request id, and another finds it started AC-4', () => {
    const run = Activities.started();
    const again = run.start();
    expect(again.ok && again.value.activity.startedTime).toBe(startedAt);
    expect(run.last.changed).toBe(false);
    expect(run.start(undefined, 'other')).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
  });

  test('a task of another stamp, or of a paused activity, is dropped AC-4', () => {
    const run = Activities.scheduled();
    const stale = { kind: 'startActivity', scheduledEventId: 5, stamp: 7, requestId: 'r', identity: 'w' } as const;
    expect(run.input(startActivity, stale)).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
    run.state = { ...run.state, activities: new Map([[5, { ...run.activity, paused: true }]]) };
    expect(run.start().ok).toBe(false);
  });

  test('a start and a retry write no event; the close writes the start late, with its own time AC-2', () => {
    const run = Activities.started();
    expect([run.events, run.last.changed]).toEqual([[], true]);
    run.now += 1_000;
    run.fail();
    expect([run.events, run.last.changed]).toEqual([[], true]);
    run.expire(run.activity.scheduledTime);
    run.start();
    const secondStart = run.now;
    run.now += 50;
    run.complete();
    expect(run.events).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted', 'WorkflowTaskScheduled']);
    const [started, completed] = run.last.events;
    expect(msOfTimestamp(started?.eventTime)).toBe(secondStart);
    expect(started?.activityTaskStartedEventAttributes).toMatchObject({
      attempt: 2,
      requestId: 'poll',
      identity: 'worker-1',
      lastFailure: { message: 'declined' },
    });
    expect(numberOf(completed?.activityTaskCompletedEventAttributes?.startedEventId)).toBe(numberOf(started?.eventId));
    expect(run.state.activities.size).toBe(0);
  });

  test('during a started workflow task the start and the close wait in the buffer, start id unset WT-33', () => {
    const run = Activities.started();
    run.startWorkflowTask();
    run.complete();
    expect(run.events).toEqual([]);
    expect(run.buffered).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted']);
    expect(numberOf(run.state.buffered[1]?.activityTaskCompletedEventAttributes?.startedEventId)).toBe(0);
    expect(run.state.workflowTask).toEqual(startedWorkflowTask());
  });
});

describe('tokens', () => {
  test('a token of an unstarted, other or ended attempt is not found AC-5', () => {
    const run = Activities.scheduled();
    expect(run.complete()).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } });
    run.start();
    const first = run.ref;
    run.fail();
    run.expire(run.activity.scheduledTime);
    run.start();
    expect(run.complete(first).ok).toBe(false);
    expect(run.heartbeat(first).ok).toBe(false);
    const second = run.ref;
    expect(run.complete(second).ok).toBe(true);
    expect(run.fail(appFailure(), second)).toMatchObject({
      refusal: { message: 'invalid activityID or activity already timed out or invoking workflow is completed' },
    });
  });

  test('by id a completion counts even before the start, an unknown id is not found AC-5', () => {
    const run = Activities.scheduled();
    expect(run.fail(appFailure(), { by: 'id', activityId: 'a' }).ok).toBe(false);
    expect(run.complete({ by: 'id', activityId: 'b' })).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    expect(run.complete({ by: 'id', activityId: 'a' }).ok).toBe(true);
    expect(run.events.slice(0, 2)).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted']);
  });

  test('nothing is accepted for a closed run AC-5', () => {
    const run = Activities.started();
    run.state = { ...run.state, status: 'completed' };
    expect(run.complete()).toMatchObject({ refusal: { message: 'workflow execution already completed' } });
  });
});

describe('retries', () => {
  test('a failure backs off and its task is emitted once, by the wake at the end of the backoff AC-7', () => {
    const run = Activities.started();
    run.fail();
    expect(run.activity).toMatchObject({ attempt: 2, startedTime: 0, stamp: 1, scheduledTime: startedAt + 1_000 });
    expect([run.last.tasks, activityWakeAt(run.activity)]).toEqual([[], startedAt + 1_000]);
    run.expire(startedAt + 999);
    expect([run.last.tasks, run.last.changed]).toEqual([[], false]);
    run.expire(startedAt + 1_000);
    expect(run.last.tasks).toMatchObject([{ scheduledEventId: 5, stamp: 1 }]);
    run.expire(startedAt + 1_001);
    expect([run.last.tasks, activityWakeAt(run.activity)]).toEqual([[], 0]);
  });

  test('a failure that names no delay at all is retried at once AC-7', () => {
    const run = Activities.started();
    run.fail(appFailure({ nextRetryDelay: durationOf(0) }));
    expect(run.last.tasks).toHaveLength(1);
    expect(run.activity.dispatched).toBe(true);
  });

  test('whether to retry: cancel, non-retryable, attempts, deadline, in this order AC-6', () => {
    const stateOf = (run: Activities, failure = appFailure()) => {
      run.fail(failure);
      return run.last.events.find((event) => event.activityTaskFailedEventAttributes)
        ?.activityTaskFailedEventAttributes?.retryState;
    };
    const canceled = Activities.started({ retryPolicy: { nonRetryableErrorTypes: ['Declined'] } });
    canceled.requestCancel();
    expect(stateOf(canceled)).toBe(RetryState.RETRY_STATE_CANCEL_REQUESTED);
    expect(stateOf(Activities.started({ retryPolicy: { maximumAttempts: 1 } }), appFailure({ nonRetryable: true }))).toBe(
      RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    );
    const short = { scheduleToCloseTimeout: durationOf(500) };
    expect(stateOf(Activities.started({ ...short, retryPolicy: { maximumAttempts: 1 } }))).toBe(
      RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    );
    expect(stateOf(Activities.started(short))).toBe(RetryState.RETRY_STATE_TIMEOUT);
  });

  test('a paused activity that fails parks with the next attempt, and no wake is due AC-6', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 1 } });
    run.state = { ...run.state, activities: new Map([[5, { ...run.activity, paused: true }]]) };
    run.fail();
    expect(run.activity).toMatchObject({ attempt: 2, dispatched: false, startedTime: 0 });
    expect([run.events, run.last.tasks, activityWakeAt(run.activity)]).toEqual([[], [], 0]);
  });

  test('a retry keeps heartbeat details, and the last failure cut at 4 KiB AC-12', () => {
    const run = Activities.started();
    run.input(failActivity, {
      kind: 'failActivity',
      activity: run.ref,
      failure: { message: 'x'.repeat(5_000), applicationFailureInfo: { type: 'Declined' } },
      lastHeartbeatDetails: payloadsOf('7 of 9'),
      identity: 'w',
    });
    expect(run.activity.heartbeatDetails).toEqual(payloadsOf('7 of 9'));
    expect(run.activity.lastFailure?.message).toBe('Failure exceeds size limit.');
    expect(run.activity).toMatchObject({ startRequestId: '', startedIdentity: '', lastWorkerIdentity: 'worker-1' });
  });

  test('an oversized result becomes a server failure, and a failure needs application info AC-14', () => {
    const run = Activities.started();
    run.limits = { ...run.limits, payloadBytesMax: 3 };
    run.complete();
    expect(run.events).toContain('ActivityTaskFailed');
    expect(run.last.events[1]?.activityTaskFailedEventAttributes).toMatchObject({
      failure: { message: 'Complete result exceeds size limit.', serverFailureInfo: { nonRetryable: true } },
      retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    });
    expect(Activities.started().fail({ message: 'bare' })).toMatchObject({
      refusal: { code: 'INVALID_ARGUMENT', message: 'Failure must have ApplicationFailureInfo.' },
    });
  });
});

describe('heartbeats and cancellation', () => {
  test('a heartbeat stores its details and answers whether cancellation was requested, without an event AC-11', () => {
    const run = Activities.started();
    expect(run.heartbeat()).toEqual({ ok: true, value: { cancelRequested: false, paused: false, reset: false } });
    expect([run.events, run.state.workflowTask]).toEqual([[], undefined]);
    run.requestCancel();
    expect(run.heartbeat()).toMatchObject({ value: { cancelRequested: true } });
    expect(run.activity.heartbeatDetails).toEqual(payloadsOf('half'));
  });

  test('cancelling before the start cancels at once, withdraws the task and asks for a new task AC-13', () => {
    const run = Activities.scheduled();
    expect(run.requestCancel()).toBeUndefined();
    expect(run.events).toEqual(['ActivityTaskCancelRequested', 'ActivityTaskCanceled']);
    expect(run.context.newTaskNeeded).toBe(true);
    expect(run.last.events[1]?.activityTaskCanceledEventAttributes).toMatchObject({
      details: payloadsOfJson('"ACTIVITY_ID_NOT_STARTED"'),
      identity: 'worker',
    });
    expect(run.state.activities.size).toBe(0);
  });

  test('an activity scheduled and cancelled by one task is never dispatched AC-13', () => {
    const run = new Activities();
    run.step((draft) => {
      scheduleActivity(draft, command({ requestEagerExecution: true }), run.context);
      const attributes = { scheduledEventId: longOf(5) };
      requestCancelActivity(draft, { requestCancelActivityTaskCommandAttributes: attributes }, run.context);
    });
    expect([run.last.tasks, run.context.eagerActivities]).toEqual([[], []]);
  });

  test('cancelling after the start raises a flag and tells the process; a second or unknown one fails the task AC-13', () => {
    const run = Activities.started({}, 'p1');
    run.requestCancel();
    expect(run.events).toEqual(['ActivityTaskCancelRequested']);
    expect(run.last.interrupts).toEqual([
      { processId: 'p1', scheduledEventId: 5, activityId: 'a', attempt: 1, reason: 'cancelRequested' },
    ]);
    const cause = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;
    expect(run.requestCancel()).toMatchObject({ cause });
    expect(run.requestCancel(99)).toMatchObject({ cause });
    expect(run.requestCancel(0)?.message).toContain('ScheduledEventId is not set');
  });

  test('cancelling what closed while the task ran only records the request AC-13', () => {
    const run = Activities.started();
    run.startWorkflowTask();
    run.complete();
    run.clearWorkflowTask();
    expect(run.requestCancel(5)).toBeUndefined();
    expect(run.events).toEqual(['ActivityTaskCancelRequested']);
    expect(run.context.newTaskNeeded).toBe(false);
  });

  test('a worker may report cancellation only when it was requested AC-13', () => {
    const run = Activities.started();
    const cancel = () =>
      run.input(cancelActivity, { kind: 'cancelActivity', activity: run.ref, details: null, identity: 'w' });
    expect(cancel()).toMatchObject({ refusal: { code: 'INVALID_ARGUMENT' } });
    run.requestCancel();
    expect(cancel().ok).toBe(true);
    expect(run.events).toEqual(['ActivityTaskStarted', 'ActivityTaskCanceled', 'WorkflowTaskScheduled']);
    const attributes = run.last.events[1]?.activityTaskCanceledEventAttributes;
    expect(numberOf(attributes?.latestCancelRequestedEventId)).toBe(6);
  });
});

describe('deadlines', () => {
  test('each timeout runs from its own beginning and is checked only while it can matter AC-9', () => {
    const run = Activities.scheduled({
      scheduleToCloseTimeout: durationOf(60_000),
      scheduleToStartTimeout: durationOf(5_000),
      heartbeatTimeout: durationOf(3_000),
    });
    expect(activityWakeAt(run.activity)).toBe(startedAt + 5_000);
    run.now += 1_000;
    run.start();
    expect(activityWakeAt(run.activity)).toBe(startedAt + 4_000);
    run.now += 2_500;
    run.heartbeat();
    expect(activityWakeAt(run.activity)).toBe(startedAt + 6_500);
    expect(activityWakeAt({ ...run.activity, paused: true })).toBe(0);
    expect(activityWakeAt({ ...run.activity, heartbeatMs: 0 })).toBe(startedAt + 11_000);
    expect(activityWakeAt({ ...run.activity, heartbeatMs: 0, startToCloseMs: 90_000 })).toBe(startedAt + 60_000);
  });

  test('schedule-to-start is not retried and keeps its type AC-9', () => {
    const run = Activities.scheduled({ scheduleToStartTimeout: durationOf(5_000) });
    run.expire(startedAt + 5_000);
    expect(run.events).toEqual(['ActivityTaskTimedOut', 'WorkflowTaskScheduled']);
    expect(timeoutOf(run)).toMatchObject({
      type: TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START,
      retryState: RetryState.RETRY_STATE_TIMEOUT,
      failure: { message: 'activity ScheduleToStart timeout', source: 'Server' },
    });
  });

  test('a start-to-close timeout retries, tells the process, and an old deadline does not end the new attempt AC-9', () => {
    const run = Activities.started({}, 'p1');
    run.expire(startedAt + 10_000);
    expect([run.events, run.activity.attempt]).toEqual([[], 2]);
    expect(run.last.interrupts).toMatchObject([{ processId: 'p1', attempt: 1, reason: 'gone' }]);
    expect(run.activity.lastFailure?.timeoutFailureInfo?.timeoutType).toBe(TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
    run.expire(startedAt + 10_500);
    expect(run.last.changed).toBe(false);
  });

  test('with no time left for an attempt it is recorded as schedule-to-close, with the last details and cause AC-10', () => {
    const run = Activities.started({ scheduleToCloseTimeout: durationOf(12_500), startToCloseTimeout: durationOf(5_000) });
    run.fail(appFailure());
    run.expire(startedAt + 1_000);
    run.start();
    run.heartbeat();
    run.expire(startedAt + 6_000);
    expect(run.activity.attempt).toBe(3);
    run.expire(startedAt + 8_000);
    run.start();
    run.expire(startedAt + 12_500);
    expect(timeoutOf(run)).toMatchObject({
      type: TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
      retryState: RetryState.RETRY_STATE_TIMEOUT,
    });
    expect(timeoutOf(run).failure?.timeoutFailureInfo?.lastHeartbeatDetails).toEqual(payloadsOf('half'));
    expect(timeoutOf(run).failure?.cause?.message).toBe('activity StartToClose timeout');
    expect(timeoutOf(run).failure?.message).toContain('Not enough time to schedule next retry');
  });

  test('a heartbeat timeout of the last attempt keeps its type AC-10', () => {
    const run = Activities.started({ heartbeatTimeout: durationOf(1_000), retryPolicy: { maximumAttempts: 1 } });
    run.expire(startedAt + 1_000);
    expect(timeoutOf(run)).toMatchObject({
      type: TimeoutType.TIMEOUT_TYPE_HEARTBEAT,
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    });
  });
});

describe('a process that died', () => {
  const lose = (run: Activities, processId = 'p1') => run.step((draft) => loseActivities(draft, processId));

  test('ends its attempts without using up a retry, and its token is fenced, decision 11 AC-5', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 2 } }, 'p1');
    run.heartbeat();
    const old = run.ref;
    lose(run, 'p2');
    expect(run.last.changed).toBe(false);
    lose(run);
    expect(run.activity).toMatchObject({ attempt: 1, startedTime: 0, stamp: 1, heartbeatDetails: payloadsOf('half') });
    expect(run.activity.processId).toBeUndefined();
    expect([run.events, run.last.tasks.length]).toEqual([[], 1]);
    run.start('p3');
    expect(run.complete(old).ok).toBe(false);
    expect(run.complete().ok).toBe(true);
  });

  test('fails an activity that allows one attempt as lost, decision 11 AC-6', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 1 } }, 'p1');
    lose(run);
    expect(run.events).toEqual(['ActivityTaskStarted', 'ActivityTaskFailed', 'WorkflowTaskScheduled']);
    expect(run.last.events[1]?.activityTaskFailedEventAttributes).toMatchObject({
      failure: { applicationFailureInfo: { type: 'ProcessLost', nonRetryable: true } },
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    });
  });

  test('leaves a cancelled activity cancelled, decision 11 AC-6', () => {
    const run = Activities.started({}, 'p1');
    run.requestCancel();
    lose(run);
    expect(run.events).toEqual(['ActivityTaskStarted', 'ActivityTaskCanceled', 'WorkflowTaskScheduled']);
  });
});

function payloadsOfJson(text: string) {
  return {
    payloads: [{ metadata: { encoding: new TextEncoder().encode('json/plain') }, data: new TextEncoder().encode(text) }],
  };
}
