import { describe, expect, test } from 'vitest';
import { Activities, appFailure, timeoutOf } from '../../test/activity-driver.ts';
import { payloadsOf, startedAt } from '../../test/draft-driver.ts';
import { activityWakeAt, loseActivities } from './activity-timeouts.ts';
import { RetryState, TimeoutType } from './proto.ts';
import { durationOf } from './time.ts';

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
    expect(activityWakeAt({ ...run.activity, heartbeatMs: 0, startToCloseMs: 90_000 })).toBe(
      startedAt + 60_000,
    );
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
    expect(run.activity.lastFailure?.timeoutFailureInfo?.timeoutType).toBe(
      TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
    );
    run.expire(startedAt + 10_500);
    expect(run.last.changed).toBe(false);
  });

  test('with no time left for an attempt it is recorded as schedule-to-close, with the last details and cause AC-10', () => {
    const run = Activities.started({
      scheduleToCloseTimeout: durationOf(12_500),
      startToCloseTimeout: durationOf(5_000),
    });
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
    expect(timeoutOf(run).failure?.timeoutFailureInfo?.lastHeartbeatDetails).toEqual(
      payloadsOf('half'),
    );
    expect(timeoutOf(run).failure?.cause?.message).toBe('activity StartToClose timeout');
    expect(timeoutOf(run).failure?.message).toContain('Not enough time to schedule next retry');
  });

  test('the only attempt of an activity with no other timeout ends as schedule-to-close, also when both fall together AC-10', () => {
    const run = Activities.started({
      scheduleToCloseTimeout: durationOf(5_000),
      startToCloseTimeout: null,
      retryPolicy: { maximumAttempts: 1 },
    });
    run.expire(startedAt + 5_000);
    expect(timeoutOf(run)).toMatchObject({
      type: TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE,
      retryState: RetryState.RETRY_STATE_TIMEOUT,
    });
  });

  test('a heartbeat timeout of the last attempt keeps its type AC-10', () => {
    const run = Activities.started({
      heartbeatTimeout: durationOf(1_000),
      retryPolicy: { maximumAttempts: 1 },
    });
    run.expire(startedAt + 1_000);
    expect(timeoutOf(run)).toMatchObject({
      type: TimeoutType.TIMEOUT_TYPE_HEARTBEAT,
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    });
  });
});

describe('a process that died', () => {
  const lose = (run: Activities, processId = 'p1', died = true) =>
    run.step((draft) => loseActivities(draft, { kind: 'processLost', processId, died }));

  test('ends its attempts without using up a retry, and its token is fenced, decision 11 AC-5', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 2 } }, 'p1');
    run.heartbeat();
    const old = run.ref;
    lose(run, 'p2');
    expect(run.last.changed).toBe(false);
    lose(run);
    expect(run.activity).toMatchObject({
      attempt: 1,
      startedTime: 0,
      stamp: 1,
      heartbeatDetails: payloadsOf('half'),
    });
    expect(run.activity.processId).toBeUndefined();
    expect([run.events, run.last.tasks.length]).toEqual([[], 1]);
    run.start('p3');
    expect(run.complete(old).ok).toBe(false);
    expect(run.complete().ok).toBe(true);
  });

  test('is counted in the last failure of the attempt, above what was thrown before, decision 11', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 3 } }, 'p1');
    run.fail();
    run.now += 1_000;
    run.expire(run.now);
    for (const deaths of [1, 2, 3]) {
      run.start('p1');
      lose(run);
      expect(run.activity).toMatchObject({
        attempt: 2,
        processDeaths: deaths,
        lastFailure: {
          message: `The process died${deaths === 1 ? '' : ` ${deaths} times`} while it ran activity Charge; attempt 2 begins anew, and no retry is used up.`,
          applicationFailureInfo: { type: 'ProcessLost' },
          cause: { message: 'declined' },
        },
      });
      expect(run.activity.lastFailure?.cause?.cause).toBeUndefined();
    }
    run.start('p1');
    run.fail();
    expect(run.activity).toMatchObject({ attempt: 3, lastFailure: { message: 'declined' } });
    expect(run.activity.processDeaths).toBeUndefined();
  });

  test('leaves no failure where the process was only stopped, decision 11', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 3 } }, 'p1');
    lose(run, 'p1', false);
    expect(run.activity).toMatchObject({ attempt: 1, startedTime: 0 });
    expect(run.activity.lastFailure).toBeUndefined();
  });

  test('fails an activity that allows one attempt as lost, decision 11 AC-6', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 1 } }, 'p1');
    lose(run);
    expect(run.events).toEqual([
      'ActivityTaskStarted',
      'ActivityTaskFailed',
      'WorkflowTaskScheduled',
    ]);
    expect(run.last.events[1]?.activityTaskFailedEventAttributes).toMatchObject({
      failure: { applicationFailureInfo: { type: 'ProcessLost', nonRetryable: true } },
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    });
  });

  test('leaves alone what was started under other request ids, decision 11', () => {
    const run = Activities.started({ retryPolicy: { maximumAttempts: 1 } }, 'p1');
    const { startRequestId } = run.activity;
    const loseOnly = (requestIds: readonly string[]) =>
      run.step((draft) =>
        loseActivities(draft, { kind: 'processLost', processId: 'p1', requestIds }),
      );
    loseOnly(['another']);
    expect(run.last.changed).toBe(false);
    loseOnly([startRequestId]);
    expect(run.events).toContain('ActivityTaskFailed');
  });

  test('leaves a cancelled activity cancelled, decision 11 AC-6', () => {
    const run = Activities.started({}, 'p1');
    run.requestCancel();
    lose(run);
    expect(run.events).toEqual([
      'ActivityTaskStarted',
      'ActivityTaskCanceled',
      'WorkflowTaskScheduled',
    ]);
  });
});
