import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { policyDelayMs } from '../../core/retry.ts';
import { activityOptionsOf } from '../../core/activity-options.ts';
import type { ActivityInfo, RunState } from '../../core/state.ts';
import { durationOf, longOf, timestampOf } from '../../core/time.ts';
import { columnsOf } from '../columns.ts';
import { runInfoOf } from '../run-info.ts';
import type { Verb } from '../verb.ts';
import { freshRunOf } from './request-run.ts';

const { PendingActivityState, PendingWorkflowTaskState } = proto.temporal.api.enums.v1;

export const describeWorkflowExecution: Verb<'describeWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const run = await freshRunOf(context, namespace.namespaceId, request.execution);
  const state = run.state as RunState;
  const columns = run.columns ?? columnsOf(state, undefined, context.clock.now(), 0);
  const task = state.workflowTask;
  const { userMetadata } = (await context.history.event(run, 1)) ?? {};
  const buildId = state.resetPoints.at(-1)?.buildId;
  return {
    executionConfig: {
      taskQueue: { name: state.taskQueue, kind: 1 },
      ...(state.executionTimeoutMs > 0 && {
        workflowExecutionTimeout: durationOf(state.executionTimeoutMs),
      }),
      ...(state.runTimeoutMs > 0 && { workflowRunTimeout: durationOf(state.runTimeoutMs) }),
      defaultWorkflowTaskTimeout: durationOf(state.workflowTaskTimeoutMs),
      ...(userMetadata && { userMetadata }),
    },
    workflowExecutionInfo: {
      ...runInfoOf({ key: run.key, columns }),
      ...(state.memo ? { memo: state.memo } : {}),
      ...(state.priority && { priority: state.priority }),
      ...(state.searchAttributes ? { searchAttributes: state.searchAttributes } : {}),
      ...(buildId && { mostRecentWorkerVersionStamp: { buildId } }),
      autoResetPoints: {
        points: state.resetPoints.map((point) => ({
          buildId: point.buildId,
          binaryChecksum: point.binaryChecksum,
          runId: point.runId,
          firstWorkflowTaskCompletedId: longOf(point.firstWorkflowTaskCompletedId),
          createTime: timestampOf(point.createTime),
          resettable: point.resettable,
        })),
      },
    },
    workflowExtendedInfo: {
      ...(state.executionExpirationTime
        ? { executionExpirationTime: timestampOf(state.executionExpirationTime) }
        : {}),
      ...(state.runExpirationTime
        ? { runExpirationTime: timestampOf(state.runExpirationTime) }
        : {}),
      cancelRequested: state.cancelRequested,
      ...(state.pause && {
        pauseInfo: {
          pausedTime: timestampOf(state.pause.time),
          identity: state.pause.identity,
          reason: state.pause.reason,
        },
      }),
      originalStartTime: timestampOf(state.startTime),
      // A run points to another as its original when a reset made it.
      ...(state.originalRunId === state.runId
        ? {}
        : { lastResetTime: timestampOf(state.startTime) }),
      ...(state.resetRunId ? { resetRunId: state.resetRunId } : {}),
      requestIdInfos: Object.fromEntries(
        [...state.requestIds].map(([id, info]) => [
          id,
          { eventType: info.eventType, eventId: longOf(info.eventId), buffered: false },
        ]),
      ),
    },
    pendingActivities: [...state.activities.values()].map((activity) =>
      pendingActivity(activity, context.clock.now()),
    ),
    pendingChildren: [...state.children.values()].map((child) => ({
      workflowId: child.workflowId,
      runId: child.runId,
      workflowTypeName: child.workflowType,
      initiatedId: longOf(child.initiatedEventId),
      parentClosePolicy: child.parentClosePolicy,
    })),
    ...(task
      ? {
          pendingWorkflowTask: {
            state: task.startedEventId
              ? PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED
              : PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
            scheduledTime: timestampOf(task.scheduledTime),
            originalScheduledTime: timestampOf(task.originalScheduledTime),
            ...(task.startedTime ? { startedTime: timestampOf(task.startedTime) } : {}),
            attempt: task.attempt,
          },
        }
      : {}),
  };
};

function pendingActivity(
  activity: ActivityInfo,
  now: number,
): temporal.api.workflow.v1.IPendingActivityInfo {
  const started = activity.startedTime !== 0;
  return {
    activityId: activity.activityId,
    activityType: { name: activity.activityType },
    state: activity.cancelRequestedEventId
      ? PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
      : started
        ? activity.paused
          ? PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
          : PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        : activity.paused
          ? PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
          : PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
    heartbeatDetails: activity.heartbeatDetails ?? null,
    ...(activity.lastHeartbeatTime
      ? { lastHeartbeatTime: timestampOf(activity.lastHeartbeatTime) }
      : {}),
    ...(started ? { lastStartedTime: timestampOf(activity.startedTime) } : {}),
    attempt: activity.attempt,
    maximumAttempts: activity.retryPolicy.maximumAttempts,
    scheduledTime: timestampOf(activity.scheduledTime),
    ...(activity.scheduleToCloseMs
      ? { expirationTime: timestampOf(activity.firstScheduledTime + activity.scheduleToCloseMs) }
      : {}),
    lastFailure: activity.lastFailure ?? null,
    lastWorkerIdentity: activity.startedIdentity || activity.lastWorkerIdentity,
    ...(activity.lastAttemptCompleteTime
      ? { lastAttemptCompleteTime: timestampOf(activity.lastAttemptCompleteTime) }
      : {}),
    ...(!started && !activity.cancelRequestedEventId ? nextAttempt(activity, now) : {}),
    activityOptions: {
      ...activityOptionsOf(activity),
      taskQueue: { name: activity.taskQueue, normalName: activity.taskQueue },
    },
    paused: activity.paused,
    ...(activity.pauseInfo && {
      pauseInfo: {
        pauseTime: timestampOf(activity.pauseInfo.time),
        manual: { identity: activity.pauseInfo.identity, reason: activity.pauseInfo.reason },
      },
    }),
    ...(activity.priority ? { priority: activity.priority } : {}),
  };
}

/** While backing off, when the next attempt comes; once it waits for a worker, how long the next backoff would be. */
function nextAttempt(
  activity: ActivityInfo,
  now: number,
): temporal.api.workflow.v1.IPendingActivityInfo {
  const { scheduledTime, lastAttemptCompleteTime, retryPolicy, attempt } = activity;
  if (now >= scheduledTime)
    return { currentRetryInterval: durationOf(policyDelayMs(retryPolicy, attempt)) };
  return {
    nextAttemptScheduleTime: timestampOf(scheduledTime),
    currentRetryInterval: durationOf(Math.max(scheduledTime - lastAttemptCompleteTime, 0)),
  };
}
