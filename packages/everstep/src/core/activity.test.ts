import { describe, expect, test } from 'vitest';
import { Activities, appFailure } from '../../test/activity-driver.ts';
import { payloadsOf, startedAt, startedWorkflowTask } from '../../test/draft-driver.ts';
import { activityWakeAt } from './activity-timeouts.ts';
import { failActivity, startActivity } from './activity.ts';
import { RetryState } from './proto.ts';
import { durationOf, msOfTimestamp, numberOf } from './time.ts';

describe('starting', () => {
  test('a start is idempotent by request id, and another finds it started AC-4', () => {
    const run = Activities.started();
    const again = run.start();
    expect(again.ok && again.value.activity.startedTime).toBe(startedAt);
    expect(run.last.changed).toBe(false);
    expect(run.start(undefined, 'other')).toMatchObject({
      ok: false,
      refusal: { code: 'NOT_FOUND' },
    });
  });

  test('a task of another stamp, or of a paused activity, is dropped AC-4', () => {
    const run = Activities.scheduled();
    const stale = {
      kind: 'startActivity',
      scheduledEventId: 5,
      stamp: 7,
      requestId: 'r',
      identity: 'w',
    } as const;
    expect(run.input(startActivity, stale)).toMatchObject({
      ok: false,
      refusal: { code: 'NOT_FOUND' },
    });
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
    expect(run.events).toEqual([
      'ActivityTaskStarted',
      'ActivityTaskCompleted',
      'WorkflowTaskScheduled',
    ]);
    const [started, completed] = run.last.events;
    expect(msOfTimestamp(started?.eventTime)).toBe(secondStart);
    expect(started?.activityTaskStartedEventAttributes).toMatchObject({
      attempt: 2,
      requestId: 'poll',
      identity: 'worker-1',
      lastFailure: { message: 'declined' },
    });
    expect(numberOf(completed?.activityTaskCompletedEventAttributes?.startedEventId)).toBe(
      numberOf(started?.eventId),
    );
    expect(run.state.activities.size).toBe(0);
  });

  test('during a started workflow task the start and the close wait in the buffer, start id unset WT-33', () => {
    const run = Activities.started();
    run.startWorkflowTask();
    run.complete();
    expect(run.events).toEqual([]);
    expect(run.buffered).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted']);
    expect(
      numberOf(run.state.buffered[1]?.activityTaskCompletedEventAttributes?.startedEventId),
    ).toBe(0);
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
      refusal: {
        message:
          'invalid activityID or activity already timed out or invoking workflow is completed',
      },
    });
  });

  test('by id a completion counts even before the start, an unknown id is not found AC-5', () => {
    const run = Activities.scheduled();
    expect(run.fail(appFailure(), { by: 'id', activityId: 'a' }).ok).toBe(false);
    expect(run.complete({ by: 'id', activityId: 'b' })).toMatchObject({
      refusal: { code: 'NOT_FOUND' },
    });
    expect(run.complete({ by: 'id', activityId: 'a' }).ok).toBe(true);
    expect(run.events.slice(0, 2)).toEqual(['ActivityTaskStarted', 'ActivityTaskCompleted']);
  });

  test('nothing is accepted for a closed run AC-5', () => {
    const run = Activities.started();
    run.state = { ...run.state, status: 'completed' };
    expect(run.complete()).toMatchObject({
      refusal: { message: 'workflow execution already completed' },
    });
  });
});

describe('retries', () => {
  test('a failure backs off and its task is emitted once, by the wake at the end of the backoff AC-7', () => {
    const run = Activities.started();
    run.fail();
    expect(run.activity).toMatchObject({
      attempt: 2,
      startedTime: 0,
      stamp: 1,
      scheduledTime: startedAt + 1_000,
    });
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
    expect(
      stateOf(
        Activities.started({ retryPolicy: { maximumAttempts: 1 } }),
        appFailure({ nonRetryable: true }),
      ),
    ).toBe(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE);
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
    expect(run.activity).toMatchObject({
      startRequestId: '',
      startedIdentity: '',
      lastWorkerIdentity: 'worker-1',
    });
  });

  test('an oversized result becomes a server failure, and a failure needs application info AC-14', () => {
    const run = Activities.started();
    run.limits = { ...run.limits, payloadBytesMax: 3 };
    run.complete();
    expect(run.events).toContain('ActivityTaskFailed');
    expect(run.last.events[1]?.activityTaskFailedEventAttributes).toMatchObject({
      failure: {
        message: 'Complete result exceeds size limit.',
        serverFailureInfo: { nonRetryable: true },
      },
      retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    });
    expect(Activities.started().fail({ message: 'bare' })).toMatchObject({
      refusal: { code: 'INVALID_ARGUMENT', message: 'Failure must have ApplicationFailureInfo.' },
    });
  });

  test('by id a failure of any kind is taken AC-14', () => {
    const run = Activities.started();
    expect(run.fail({ message: 'bare' }, { by: 'id', activityId: 'a' }).ok).toBe(true);
    expect(run.activity.lastFailure?.message).toBe('bare');
  });
});
