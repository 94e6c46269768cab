/** Poll replies: what a worker is given, from the state and the history. The same for local and remote workers. */
import type { Replies } from '../core/input.ts';
import type { HistoryEvent } from '../core/proto.ts';
import type { ActivityInfo, RunState } from '../core/state.ts';
import { durationOf, longOf, timestampOf } from '../core/time.ts';
import { retryPolicyToWire } from '../core/retry.ts';
import type { ActivityTask, WorkflowTask } from '../service/local-worker.ts';

export function workflowTaskMessage(args: {
  readonly state: RunState;
  readonly started: Replies['startWorkflowTask'];
  readonly taskToken: Uint8Array;
  readonly history: { readonly events: HistoryEvent[] };
  readonly nextPageToken?: Uint8Array;
}): WorkflowTask {
  const { state, started } = args;
  const task = started.workflowTask;
  return {
    taskToken: args.taskToken,
    workflowExecution: { workflowId: state.workflowId, runId: state.runId },
    workflowType: { name: state.workflowType },
    previousStartedEventId: longOf(started.previousStartedEventId),
    startedEventId: longOf(task.startedEventId),
    attempt: task.attempt,
    backlogCountHint: longOf(0),
    history: args.history,
    ...(args.nextPageToken ? { nextPageToken: args.nextPageToken } : {}),
    workflowExecutionTaskQueue: { name: state.taskQueue, kind: 1 },
    scheduledTime: timestampOf(task.originalScheduledTime),
    startedTime: timestampOf(task.startedTime),
    queries: {},
    messages: [...started.messages],
  };
}

export function activityTaskMessage(args: {
  readonly state: RunState;
  readonly activity: ActivityInfo;
  readonly taskToken: Uint8Array;
  readonly scheduled: HistoryEvent;
}): ActivityTask {
  const { state, activity } = args;
  const attributes = args.scheduled.activityTaskScheduledEventAttributes;
  return {
    taskToken: args.taskToken,
    workflowNamespace: state.namespace,
    workflowType: { name: state.workflowType },
    workflowExecution: { workflowId: state.workflowId, runId: state.runId },
    activityId: activity.activityId,
    activityType: { name: activity.activityType },
    header: attributes?.header ?? null,
    input: attributes?.input ?? null,
    heartbeatDetails: activity.heartbeatDetails ?? null,
    scheduledTime: timestampOf(activity.firstScheduledTime),
    currentAttemptScheduledTime: timestampOf(activity.scheduledTime),
    startedTime: timestampOf(activity.startedTime),
    attempt: activity.attempt,
    scheduleToCloseTimeout: durationOf(activity.scheduleToCloseMs),
    startToCloseTimeout: durationOf(activity.startToCloseMs),
    heartbeatTimeout: durationOf(activity.heartbeatMs),
    retryPolicy: retryPolicyToWire(activity.retryPolicy),
    ...(activity.priority ? { priority: activity.priority } : {}),
  };
}
