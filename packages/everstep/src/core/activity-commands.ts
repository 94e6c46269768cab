/** The commands that schedule an activity and ask for its cancellation (AC-1, AC-3, AC-13). */
import { addActivityClose, dispatchTaskOf, interruptActivity } from './activity-attempt.ts';
import { applyActivityCancelRequested, applyActivityScheduled } from './activity-events.ts';
import type { CommandHandler, CommandProblem } from './command.ts';
import { checkCount, invalidAction } from './command-problem.ts';
import type { Draft } from './draft.ts';
import { checkIdLength, checkTaskQueue } from './id-length.ts';
import { InvariantViolation } from './invariant.ts';
import { payloadsBytes } from './payload-size.ts';
import { EventType, TaskQueueKind, WorkflowTaskFailedCause } from './proto.ts';
import type { Command, HistoryEvent, Payloads } from './proto.ts';
import { retryPolicyFromWire, retryPolicyToWire, validateRetryPolicy } from './retry.ts';
import { activityById, copyOfActivity } from './state.ts';
import type { RetryPolicy } from './state.ts';
import { durationOf, longOf, msOfDuration, numberOf, spanMaxMs } from './time.ts';

type ScheduleAttributes = NonNullable<Command['scheduleActivityTaskCommandAttributes']>;

interface Timeouts {
  readonly scheduleToCloseMs: number;
  readonly scheduleToStartMs: number;
  readonly startToCloseMs: number;
  readonly heartbeatMs: number;
}

const badSchedule =
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
const badCancel =
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;

/** AC-1: the timeouts filled in and cut to each other and to the run's, or the problem in words. */
export function activityTimeouts(
  attributes: ScheduleAttributes,
  runTimeoutMs: number,
): Timeouts | string {
  const toClose = Math.min(msOfDuration(attributes.scheduleToCloseTimeout), spanMaxMs);
  if (toClose < 0) return negative('ScheduleToCloseTimeout');
  const toStart = Math.min(msOfDuration(attributes.scheduleToStartTimeout), spanMaxMs);
  if (toStart < 0) return negative('ScheduleToStartTimeout');
  const startToClose = Math.min(msOfDuration(attributes.startToCloseTimeout), spanMaxMs);
  if (startToClose < 0) return negative('StartToCloseTimeout');
  const heartbeat = Math.min(msOfDuration(attributes.heartbeatTimeout), spanMaxMs);
  if (heartbeat < 0) return negative('HeartbeatTimeout');
  if (toClose === 0 && startToClose === 0) {
    return `a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. ActivityId=${attributes.activityId ?? ''} ActivityType=${attributes.activityType?.name ?? ''}`;
  }
  const whole = toClose || runTimeoutMs;
  const cut = (ms: number): number => (runTimeoutMs > 0 ? Math.min(ms, runTimeoutMs) : ms);
  const startToCloseMs = cut(
    toClose > 0 ? Math.min(startToClose || toClose, toClose) : startToClose,
  );
  return {
    scheduleToCloseMs: cut(whole),
    scheduleToStartMs: cut(
      toStart > 0 && toClose > 0 ? Math.min(toStart, toClose) : toStart || whole,
    ),
    startToCloseMs,
    heartbeatMs: Math.min(cut(heartbeat), startToCloseMs),
  };
}

function negative(timeout: string): string {
  return `invalid ${timeout}: negative duration`;
}

function checkSchedule(
  draft: Draft,
  attributes: ScheduleAttributes,
  retryPolicy: RetryPolicy,
): string | undefined {
  const { limits } = draft.env;
  if (!attributes.taskQueue) return 'taskQueue is not set';
  const activityId = attributes.activityId ?? '';
  const activityType = attributes.activityType?.name ?? '';
  const priority = attributes.priority;
  return (
    checkTaskQueue(attributes.taskQueue.name ?? '', limits) ??
    (activityId === '' ? 'activityId is not set' : undefined) ??
    (activityType === '' ? 'activityType is not set' : undefined) ??
    validateRetryPolicy(retryPolicy) ??
    checkIdLength('activityId', activityId, limits) ??
    checkIdLength('activityType', activityType, limits) ??
    ((priority?.priorityKey ?? 0) < 0
      ? "invalid priorities: priority key can't be negative"
      : undefined)
  );
}

export const scheduleActivity: CommandHandler = (
  draft,
  command,
  context,
): CommandProblem | undefined => {
  const attributes = command.scheduleActivityTaskCommandAttributes;
  if (!attributes) {
    return {
      cause: badSchedule,
      message: 'ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.',
    };
  }
  const retryPolicy = retryPolicyFromWire(attributes.retryPolicy);
  const problem = checkSchedule(draft, attributes, retryPolicy);
  if (problem !== undefined) return { cause: badSchedule, message: problem };
  const timeouts = activityTimeouts(attributes, draft.state.runTimeoutMs);
  if (typeof timeouts === 'string') return { cause: badSchedule, message: timeouts };
  const { limits } = draft.env;
  if (payloadsBytes(attributes.input) > limits.payloadBytesMax) {
    const message = 'ScheduleActivityTaskCommandAttributes.Input exceeds size limit.';
    return { cause: badSchedule, message, terminate: true };
  }
  const tooMany = checkCount(
    'pending activities',
    draft.state.activities.size,
    limits.pendingActivitiesMax,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
  );
  if (tooMany) return tooMany;
  const activityId = attributes.activityId ?? '';
  if (activityById(draft.state, activityId)) {
    return {
      cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
      message: invalidAction('add-activitytask-scheduled-event', `ActivityID: ${activityId}`),
    };
  }
  const event = draft.add(
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    {
      activityTaskScheduledEventAttributes: {
        activityId,
        activityType: { name: attributes.activityType?.name ?? '' },
        taskQueue: {
          name: attributes.taskQueue?.name ?? '',
          kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL,
        },
        header: attributes.header ?? null,
        input: attributes.input ?? null,
        scheduleToCloseTimeout: durationOf(timeouts.scheduleToCloseMs),
        scheduleToStartTimeout: durationOf(timeouts.scheduleToStartMs),
        startToCloseTimeout: durationOf(timeouts.startToCloseMs),
        heartbeatTimeout: durationOf(timeouts.heartbeatMs),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        retryPolicy: retryPolicyToWire(retryPolicy),
        useWorkflowBuildId: attributes.useWorkflowBuildId || null,
        priority: attributes.priority ?? null,
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyActivityScheduled(draft, event);
  const activity = draft.state.activities.get(numberOf(event.eventId));
  if (!activity) {
    throw new InvariantViolation('A scheduled activity is not pending.', { activityId });
  }
  if (draft.state.pause) {
    const parked = copyOfActivity(activity);
    parked.dispatched = false;
    draft.own('activities').set(activity.scheduledEventId, parked);
    return undefined;
  }
  const task = dispatchTaskOf(activity);
  draft.tasks.push(task);
  if (attributes.requestEagerExecution) context.eagerActivities.push(task);
  return undefined;
};

/** JSON text as a payload, as Temporal encodes it. */
const notStartedDetails: Payloads = {
  payloads: [
    {
      metadata: { encoding: new TextEncoder().encode('json/plain') },
      data: new TextEncoder().encode('"ACTIVITY_ID_NOT_STARTED"'),
    },
  ],
};

export const requestCancelActivity: CommandHandler = (
  draft,
  command,
  context,
): CommandProblem | undefined => {
  const attributes = command.requestCancelActivityTaskCommandAttributes;
  if (!attributes) {
    const message =
      'RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.';
    return { cause: badCancel, message };
  }
  const scheduledEventId = numberOf(attributes.scheduledEventId);
  if (scheduledEventId <= 0) {
    const message = 'ScheduledEventId is not set on RequestCancelActivityTaskCommand.';
    return { cause: badCancel, message };
  }
  const activity = draft.state.activities.get(scheduledEventId);
  const cancelable = activity
    ? activity.cancelRequestedEventId === 0
    : closeIsPending(draft, scheduledEventId);
  if (!cancelable) {
    return {
      cause: badCancel,
      message: invalidAction(
        'add-activitytask-cancel-requested-event',
        `ScheduledEventID: ${scheduledEventId}`,
      ),
    };
  }
  const event = draft.add(
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
    {
      activityTaskCancelRequestedEventAttributes: {
        scheduledEventId: longOf(scheduledEventId),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyActivityCancelRequested(draft, event);
  const requested = draft.state.activities.get(scheduledEventId);
  if (!requested) return undefined;
  if (requested.startedTime !== 0) {
    interruptActivity(draft, requested, 'cancelRequested');
    return undefined;
  }
  withdrawTask(draft, scheduledEventId, context.eagerActivities);
  addActivityClose(draft, requested, {
    kind: 'canceled',
    details: notStartedDetails,
    identity: context.identity,
  });
  // The worker learns of this cancellation only from a task that follows (WT-22).
  context.newTaskNeeded = true;
  return undefined;
};

/** Scheduled and cancelled by the same workflow task: its task never leaves. */
function withdrawTask(
  draft: Draft,
  scheduledEventId: number,
  eager: { scheduledEventId: number }[],
): void {
  for (const list of [draft.tasks, eager]) {
    const index = list.findIndex((task) => task.scheduledEventId === scheduledEventId);
    if (index >= 0) list.splice(index, 1);
  }
}

/** The activity closed while this workflow task ran: the worker could not know. */
function closeIsPending(draft: Draft, scheduledEventId: number): boolean {
  return (
    draft.state.buffered.some((event) => closedActivityId(event) === scheduledEventId) ||
    draft.events.some((event) => closedActivityId(event) === scheduledEventId)
  );
}

function closedActivityId(event: HistoryEvent): number {
  return numberOf(
    (
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes
    )?.scheduledEventId,
  );
}
