/** What each activity event does to the state: live, at the moment it is added, and when a history is rebuilt. */
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { reportPauses } from './pause-info.ts';
import { EventType } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { retryPolicyFromWire } from './retry.ts';
import { copyOfActivity } from './state.ts';
import type { WireLong } from './time.ts';
import { msOfDuration, msOfTimestamp, numberOf } from './time.ts';

export function applyActivityScheduled(draft: Draft, event: HistoryEvent): void {
  const attributes = event.activityTaskScheduledEventAttributes ?? {};
  const scheduledEventId = numberOf(event.eventId);
  const scheduledTime = msOfTimestamp(event.eventTime);
  draft.own('activities').set(scheduledEventId, {
    scheduledEventId,
    activityId: attributes.activityId ?? '',
    activityType: attributes.activityType?.name ?? '',
    taskQueue: attributes.taskQueue?.name ?? '',
    attempt: 1,
    stamp: 0,
    firstScheduledTime: scheduledTime,
    scheduledTime,
    dispatched: true,
    startedTime: 0,
    startRequestId: '',
    startedIdentity: '',
    processId: undefined,
    scheduleToCloseMs: msOfDuration(attributes.scheduleToCloseTimeout),
    scheduleToStartMs: msOfDuration(attributes.scheduleToStartTimeout),
    startToCloseMs: msOfDuration(attributes.startToCloseTimeout),
    heartbeatMs: msOfDuration(attributes.heartbeatTimeout),
    retryPolicy: retryPolicyFromWire(attributes.retryPolicy),
    cancelRequestedEventId: 0,
    lastHeartbeatTime: 0,
    heartbeatDetails: undefined,
    lastFailure: undefined,
    lastWorkerIdentity: '',
    lastAttemptCompleteTime: 0,
    priority: attributes.priority ?? undefined,
    paused: false,
    pauseInfo: undefined,
    reset: undefined,
    processDeaths: undefined,
  });
}

/** Written when the activity closes (AC-2), so live there is nothing left to learn from it. */
function applyActivityStarted(draft: Draft, event: HistoryEvent): void {
  const attributes = event.activityTaskStartedEventAttributes ?? {};
  const activity = draft.state.activities.get(numberOf(attributes.scheduledEventId));
  if (!activity || activity.startedTime !== 0) return;
  const started = copyOfActivity(activity);
  started.attempt = attributes.attempt ?? 1;
  started.startedTime = msOfTimestamp(event.eventTime);
  started.startRequestId = attributes.requestId ?? '';
  started.startedIdentity = attributes.identity ?? '';
  if (attributes.lastFailure) started.lastFailure = attributes.lastFailure;
  draft.own('activities').set(activity.scheduledEventId, started);
}

export function applyActivityCancelRequested(draft: Draft, event: HistoryEvent): void {
  const id = numberOf(event.activityTaskCancelRequestedEventAttributes?.scheduledEventId);
  const activity = draft.state.activities.get(id);
  // The activity may have closed already, its close still in the buffer.
  if (!activity) return;
  const canceled = copyOfActivity(activity);
  canceled.cancelRequestedEventId = numberOf(event.eventId);
  draft.own('activities').set(id, canceled);
}

export function forgetActivity(draft: Draft, scheduledEventId: WireLong): void {
  const id = numberOf(scheduledEventId);
  const paused = draft.state.activities.get(id)?.paused === true;
  draft.own('activities').delete(id);
  if (paused) reportPauses(draft);
}

export const activityEvents: EventTable = {
  [EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]: applyActivityScheduled,
  [EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED]: applyActivityStarted,
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED]: applyActivityCancelRequested,
  [EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED]: (draft, event) => {
    forgetActivity(draft, event.activityTaskCompletedEventAttributes?.scheduledEventId);
  },
  [EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED]: (draft, event) => {
    forgetActivity(draft, event.activityTaskFailedEventAttributes?.scheduledEventId);
  },
  [EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT]: (draft, event) => {
    forgetActivity(draft, event.activityTaskTimedOutEventAttributes?.scheduledEventId);
  },
  [EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED]: (draft, event) => {
    forgetActivity(draft, event.activityTaskCanceledEventAttributes?.scheduledEventId);
  },
};
