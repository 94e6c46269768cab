/**
 * The life of one activity's attempts: dispatched, started, retried, closed. Commands, requests of workers and
 * timeouts (activity-commands.ts, activity.ts, activity-timeouts.ts) all end here.
 */
import { forgetActivity } from './activity-events.ts';
import type { Draft, Mutable } from './draft.ts';
import { cutFailure, processDiedFailure } from './failure.ts';
import type { DispatchTask, Interrupt } from './input.ts';
import { EventType, RetryState, TimeoutType } from './proto.ts';
import type { Failure, HistoryEvent, Payloads } from './proto.ts';
import { nextBackoff } from './retry.ts';
import { copyOfActivity } from './state.ts';
import type { ActivityInfo } from './state.ts';
import { longOf, numberOf, timestampOf } from './time.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

export function dispatchTaskOf(activity: ActivityInfo): DispatchTask {
  return {
    kind: 'activity',
    taskQueue: activity.taskQueue,
    normalTaskQueue: '',
    scheduledEventId: activity.scheduledEventId,
    stamp: activity.stamp,
    type: activity.activityType,
  };
}

/** Tells the process that runs this attempt, if it is one of ours. */
export function interruptActivity(
  draft: Draft,
  activity: ActivityInfo,
  reason: Interrupt['reason'],
): void {
  if (activity.startedTime === 0 || activity.processId === undefined) return;
  draft.interrupts.push({
    processId: activity.processId,
    scheduledEventId: activity.scheduledEventId,
    activityId: activity.activityId,
    attempt: activity.attempt,
    reason,
  });
}

/** 0 = no limit. */
export function activityExpirationTime(activity: ActivityInfo): number {
  return activity.scheduleToCloseMs > 0
    ? activity.firstScheduledTime + activity.scheduleToCloseMs
    : 0;
}

/** A copy to be written, with what a start set cleared. */
function unstarted(activity: ActivityInfo): Mutable<ActivityInfo> {
  const next = copyOfActivity(activity);
  next.stamp += 1;
  next.startedTime = 0;
  next.startRequestId = '';
  next.startedIdentity = '';
  next.lastWorkerIdentity = activity.startedIdentity || activity.lastWorkerIdentity;
  next.processId = undefined;
  return next;
}

/**
 * The same attempt once more, at once: the process that ran it is gone (decision 11). Its stamp fences that process.
 * Deaths are counted and shown as the last failure, since nothing bounds them: no retry is used up.
 */
export function restartAttempt(draft: Draft, activity: ActivityInfo, died: boolean): void {
  const next = unstarted(activity);
  if (died) {
    const deaths = (activity.processDeaths ?? 0) + 1;
    next.processDeaths = deaths;
    // Below it stays what an attempt before this one threw.
    const thrown = deaths === 1 ? activity.lastFailure : activity.lastFailure?.cause;
    next.lastFailure = cutFailure(
      processDiedFailure(activity.activityType, activity.attempt, deaths, thrown ?? undefined),
      draft.env.limits.retriedFailureBytesMax,
    );
  }
  next.lastAttemptCompleteTime = draft.now;
  next.scheduledTime = draft.now;
  next.dispatched = !next.paused && !draft.state.pause;
  draft.own('activities').set(next.scheduledEventId, next);
  draft.touch();
  if (next.dispatched) draft.tasks.push(dispatchTaskOf(next));
}

/** The state in which to close an activity whose attempt ended this way, or undefined: it is retried (AC-6). */
export function retryActivity(
  draft: Draft,
  activity: ActivityInfo,
  failure: Failure | undefined,
): RetryState | undefined {
  if (activity.cancelRequestedEventId !== 0) return RetryState.RETRY_STATE_CANCEL_REQUESTED;
  const timeoutType = failure?.timeoutFailureInfo?.timeoutType;
  if (
    timeoutType === TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE ||
    timeoutType === TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START
  ) {
    return RetryState.RETRY_STATE_TIMEOUT;
  }
  // AC-15: an attempt during which it was reset counts as the first.
  const attempt = activity.reset ? 1 : activity.attempt;
  const backoff = nextBackoff({
    policy: activity.retryPolicy,
    attempt,
    now: draft.now,
    expirationTime: activityExpirationTime(activity),
    failure,
  });
  // A paused activity parks with the next attempt, whatever attempts and time are left; a failure that may not be
  // retried still closes it.
  if ('retryState' in backoff) {
    const final = backoff.retryState === RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE;
    if (final || !activity.paused) return backoff.retryState;
  }
  const retryInMs = 'retryInMs' in backoff ? backoff.retryInMs : 0;
  const next = unstarted(activity);
  next.attempt = attempt + 1;
  next.reset = undefined;
  next.processDeaths = undefined;
  next.lastAttemptCompleteTime = draft.now;
  next.scheduledTime = draft.now + retryInMs;
  next.dispatched = retryInMs === 0 && !activity.paused && !draft.state.pause;
  if (failure) next.lastFailure = cutFailure(failure, draft.env.limits.retriedFailureBytesMax);
  draft.own('activities').set(next.scheduledEventId, next);
  draft.touch();
  if (next.dispatched) draft.tasks.push(dispatchTaskOf(next));
  return undefined;
}

/** AC-2: the started event goes before the close. Its id, or 0: not started, or buffered and wired by WT-34. */
function addLateStarted(draft: Draft, activity: ActivityInfo): number {
  if (activity.startedTime === 0) return 0;
  const event = draft.add(EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, {
    activityTaskStartedEventAttributes: {
      scheduledEventId: longOf(activity.scheduledEventId),
      identity: activity.startedIdentity,
      requestId: activity.startRequestId,
      attempt: activity.attempt,
      lastFailure: activity.lastFailure ?? null,
    },
  });
  event.eventTime = timestampOf(activity.startedTime);
  return numberOf(event.eventId);
}

export type ActivityClose =
  | {
      readonly kind: 'completed';
      readonly result?: Payloads | null | undefined;
      readonly identity: string;
    }
  | {
      readonly kind: 'failed';
      readonly failure: Failure | undefined;
      readonly retryState: RetryState;
      readonly identity: string;
    }
  | { readonly kind: 'timedOut'; readonly failure: Failure; readonly retryState: RetryState }
  | {
      readonly kind: 'canceled';
      readonly details?: Payloads | null | undefined;
      readonly identity: string;
    };

/** Writes the late start and the close, and forgets the activity. The caller sees to the workflow task. */
export function addActivityClose(
  draft: Draft,
  activity: ActivityInfo,
  close: ActivityClose,
): HistoryEvent {
  const startedEventId = longOf(addLateStarted(draft, activity));
  const scheduledEventId = longOf(activity.scheduledEventId);
  forgetActivity(draft, activity.scheduledEventId);
  switch (close.kind) {
    case 'completed':
      return draft.add(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, {
        activityTaskCompletedEventAttributes: {
          result: close.result ?? null,
          scheduledEventId,
          startedEventId,
          identity: close.identity,
        },
      });
    case 'failed':
      return draft.add(EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED, {
        activityTaskFailedEventAttributes: {
          failure: close.failure ?? null,
          scheduledEventId,
          startedEventId,
          identity: close.identity,
          retryState: close.retryState,
        },
      });
    case 'timedOut':
      return draft.add(EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, {
        activityTaskTimedOutEventAttributes: {
          failure: close.failure,
          scheduledEventId,
          startedEventId,
          retryState: close.retryState,
        },
      });
    case 'canceled':
      return draft.add(EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED, {
        activityTaskCanceledEventAttributes: {
          details: close.details ?? null,
          latestCancelRequestedEventId: longOf(activity.cancelRequestedEventId),
          scheduledEventId,
          startedEventId,
          identity: close.identity,
        },
      });
  }
}

export function closeActivity(draft: Draft, activity: ActivityInfo, close: ActivityClose): void {
  addActivityClose(draft, activity, close);
  scheduleWorkflowTask(draft);
}
