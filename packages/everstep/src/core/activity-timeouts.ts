/**
 * Deadlines of activities (AC-9, AC-10), the end of a retry's backoff, and the death of the process that ran an
 * attempt (decision 11). Nothing is armed: deadlines are read off the state whenever somebody asks.
 */
import {
  activityExpirationTime,
  closeActivity,
  dispatchTaskOf,
  interruptActivity,
  restartAttempt,
  retryActivity,
} from './activity-attempt.ts';
import type { Draft } from './draft.ts';
import { processLostFailure, timeoutFailure } from './failure.ts';
import type { InputOf } from './input.ts';
import { RetryState, TimeoutType } from './proto.ts';
import { timeoutTypeName } from './retry.ts';
import { copyOfActivity } from './state.ts';
import type { ActivityInfo } from './state.ts';

interface Deadline {
  readonly activity: ActivityInfo;
  readonly time: number;
  readonly type: TimeoutType;
}

/** AC-9: the earliest. The type is read only when it is due, so finding the time allocates nothing. */
function deadlineTime(activity: ActivityInfo): number {
  if (activity.paused) return Infinity;
  const expirationTime = activityExpirationTime(activity) || Infinity;
  if (activity.startedTime === 0) {
    return Math.min(expirationTime, after(activity.scheduledTime, activity.scheduleToStartMs));
  }
  return Math.min(
    expirationTime,
    after(activity.startedTime, activity.startToCloseMs),
    after(Math.max(activity.startedTime, activity.lastHeartbeatTime), activity.heartbeatMs),
  );
}

/** When several fall together, the one that leaves no time for another attempt. */
function deadlineType(activity: ActivityInfo, time: number): TimeoutType {
  if (
    activity.startedTime === 0 &&
    time === after(activity.scheduledTime, activity.scheduleToStartMs)
  ) {
    return TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START;
  }
  if (time === activityExpirationTime(activity)) return TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE;
  return time === after(activity.startedTime, activity.startToCloseMs)
    ? TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    : TimeoutType.TIMEOUT_TYPE_HEARTBEAT;
}

/** 0 = no such timeout. */
function after(time: number, timeoutMs: number): number {
  return timeoutMs > 0 ? time + timeoutMs : Infinity;
}

function backingOff(activity: ActivityInfo): boolean {
  return !activity.dispatched && !activity.paused && activity.startedTime === 0;
}

/** When this activity next needs somebody to wake its run; 0 = never. */
export function activityWakeAt(activity: ActivityInfo, runPaused = false): number {
  const time =
    !runPaused && backingOff(activity)
      ? Math.min(activity.scheduledTime, deadlineTime(activity))
      : deadlineTime(activity);
  return time === Infinity ? 0 : time;
}

/** Everything of activities that is due at `at`: timeouts in the order of their deadlines, then retries' tasks. */
export function expireActivities(draft: Draft, at: number = draft.now): void {
  let due: Deadline[] | undefined;
  let retries: ActivityInfo[] | undefined;
  for (const activity of draft.state.activities.values()) {
    const time = deadlineTime(activity);
    if (time <= at) (due ??= []).push({ activity, time, type: deadlineType(activity, time) });
    else if (!draft.state.pause && backingOff(activity) && activity.scheduledTime <= at)
      (retries ??= []).push(activity);
  }
  due?.sort((a, b) => a.time - b.time || a.activity.scheduledEventId - b.activity.scheduledEventId);
  for (const deadline of due ?? []) expireActivity(draft, deadline);
  for (const activity of retries ?? []) {
    const dispatched = copyOfActivity(activity);
    dispatched.dispatched = true;
    draft.own('activities').set(activity.scheduledEventId, dispatched);
    draft.touch();
    draft.tasks.push(dispatchTaskOf(activity));
  }
}

const noTimeForRetry =
  'Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying';

function expireActivity(draft: Draft, { activity, type }: Deadline): void {
  interruptActivity(draft, activity, 'gone');
  const message = `activity ${timeoutTypeName(type)} timeout`;
  const retryState = retryActivity(draft, activity, timeoutFailure({ message, timeoutType: type }));
  if (retryState === undefined) return;
  // AC-10. What failed is then that no further attempt fits, whatever timeout it was.
  const outOfTime =
    retryState === RetryState.RETRY_STATE_TIMEOUT &&
    type !== TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START;
  const failure = timeoutFailure({
    message: outOfTime ? noTimeForRetry : message,
    timeoutType: outOfTime ? TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE : type,
    lastHeartbeatDetails: activity.heartbeatDetails,
    cause: activity.lastFailure,
  });
  closeActivity(draft, activity, { kind: 'timedOut', failure, retryState });
}

/** Decision 11: the attempts that process had started end without using up a retry. */
export function loseActivities(
  draft: Draft,
  { processId, died, requestIds }: InputOf<'processLost'>,
): void {
  for (const activity of draft.state.activities.values()) {
    if (activity.startedTime === 0 || activity.processId !== processId) continue;
    if (requestIds?.includes(activity.startRequestId) === false) continue;
    const identity = activity.startedIdentity;
    if (activity.cancelRequestedEventId !== 0) {
      // AC-6: a cancelled activity is not run again, and nobody is left to answer the request.
      closeActivity(draft, activity, { kind: 'canceled', identity });
    } else if (activity.retryPolicy.maximumAttempts === 1) {
      const failure = processLostFailure(activity.activityType, processId);
      const retryState = RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED;
      closeActivity(draft, activity, { kind: 'failed', failure, retryState, identity });
    } else {
      restartAttempt(draft, activity, died === true);
    }
  }
}
