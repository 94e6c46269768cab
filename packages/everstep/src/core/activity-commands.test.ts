import { describe, expect, test } from 'vitest';
import { Activities, command } from '../../test/activity-driver.ts';
import type { Attributes } from '../../test/activity-driver.ts';
import { payloadsOf } from '../../test/draft-driver.ts';
import { requestCancelActivity, scheduleActivity } from './activity-commands.ts';
import { cancelActivity } from './activity.ts';
import { WorkflowTaskFailedCause } from './proto.ts';
import { durationOf, longOf, msOfDuration, numberOf } from './time.ts';

describe('scheduling', () => {
  test('schedule-to-close fills and caps the other timeouts AC-1', () => {
    const run = Activities.scheduled({
      scheduleToCloseTimeout: durationOf(5_000),
      heartbeatTimeout: durationOf(60_000),
    });
    expect(run.timeouts).toEqual([5_000, 5_000, 5_000, 5_000]);
  });

  test('with only start-to-close the run timeout fills the rest, and without one they are 0, never null AC-1', () => {
    expect(Activities.scheduled({}, { runTimeoutMs: 60_000 }).timeouts).toEqual([
      60_000, 60_000, 10_000, 0,
    ]);
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
    expect(messageOf({ startToCloseTimeout: null })).toContain(
      'a valid StartToCloseTimeout or ScheduleToCloseTimeout',
    );
    expect(messageOf({ heartbeatTimeout: durationOf(-1) })).toBe(
      'invalid HeartbeatTimeout: negative duration',
    );
    expect(messageOf({ activityId: '' })).toBe('activityId is not set');
    expect(messageOf({ activityType: null })).toBe('activityType is not set');
    expect(messageOf({ taskQueue: null })).toBe('taskQueue is not set');
    expect(messageOf({ activityId: 'x'.repeat(1_001) })).toContain(
      'activityId exceeds length limit',
    );
  });

  test('the event carries the default retry policy and the task goes to its queue AC-2', () => {
    const run = Activities.scheduled({ taskQueue: { name: 'heavy' } });
    expect(run.events).toEqual(['ActivityTaskScheduled']);
    const policy = run.last.events[0]?.activityTaskScheduledEventAttributes?.retryPolicy;
    expect([msOfDuration(policy?.initialInterval), policy?.backoffCoefficient]).toEqual([1_000, 2]);
    expect(run.last.tasks).toEqual([
      {
        kind: 'activity',
        taskQueue: 'heavy',
        normalTaskQueue: '',
        scheduledEventId: 5,
        stamp: 0,
        type: 'Charge',
      },
    ]);
  });

  test('a pending activity id in use fails the task AC-3', () => {
    const problem = Activities.scheduled().command(scheduleActivity, command());
    expect(problem).toEqual({
      cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
      message:
        'invalid history builder state for action: add-activitytask-scheduled-event, ActivityID: a',
    });
  });

  test('an oversized input terminates the run, too many pending activities fail the task WT-20', () => {
    const run = Activities.scheduled();
    run.limits = { ...run.limits, payloadBytesMax: 10, pendingActivitiesMax: 1 };
    const big = run.command(
      scheduleActivity,
      command({ activityId: 'b', input: payloadsOf('0123456789') }),
    );
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

describe('heartbeats and cancellation', () => {
  test('a heartbeat stores its details and answers whether cancellation was requested, without an event AC-11', () => {
    const run = Activities.started();
    expect(run.heartbeat()).toEqual({
      ok: true,
      value: { cancelRequested: false, paused: false, reset: false },
    });
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
      requestCancelActivity(
        draft,
        { requestCancelActivityTaskCommandAttributes: attributes },
        run.context,
      );
    });
    expect([run.last.tasks, run.context.eagerActivities]).toEqual([[], []]);
  });

  test('cancelling after the start raises a flag and tells the process; a second or unknown one fails the task AC-13', () => {
    const run = Activities.started({}, 'p1');
    run.requestCancel();
    expect(run.events).toEqual(['ActivityTaskCancelRequested']);
    expect(run.last.interrupts).toEqual([
      {
        processId: 'p1',
        scheduledEventId: 5,
        activityId: 'a',
        attempt: 1,
        reason: 'cancelRequested',
      },
    ]);
    const cause =
      WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;
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
      run.input(cancelActivity, {
        kind: 'cancelActivity',
        activity: run.ref,
        details: null,
        identity: 'w',
      });
    expect(cancel()).toMatchObject({ refusal: { code: 'INVALID_ARGUMENT' } });
    run.requestCancel();
    expect(cancel().ok).toBe(true);
    expect(run.events).toEqual([
      'ActivityTaskStarted',
      'ActivityTaskCanceled',
      'WorkflowTaskScheduled',
    ]);
    const attributes = run.last.events[1]?.activityTaskCanceledEventAttributes;
    expect(numberOf(attributes?.latestCancelRequestedEventId)).toBe(6);
  });
});

function payloadsOfJson(text: string) {
  return {
    payloads: [
      {
        metadata: { encoding: new TextEncoder().encode('json/plain') },
        data: new TextEncoder().encode(text),
      },
    ],
  };
}
