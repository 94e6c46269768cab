/**
 * A workflow task whose events the history does not hold yet: a later attempt (WT-3), or a speculative one that an
 * update has made (WT-36). Its worker is shown them as the next ids, and they are written when they must be.
 */
import proto from '@temporalio/proto';
import { EventType } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { isOpen } from './state.ts';
import type { RunState, WorkflowTaskInfo } from './state.ts';
import { durationOf, longOf, timestampOf } from './time.ts';

const { TaskQueueKind, SuggestContinueAsNewReason } = proto.temporal.api.enums.v1;

export function isUnwritten(task: WorkflowTaskInfo): boolean {
  return task.attempt > 1 || task.kind === 'speculative';
}

/** Those of the run's started task, for whoever reads its history to drive it. */
export function unwrittenEventsOf(state: RunState): HistoryEvent[] {
  const task = state.workflowTask;
  return isOpen(state) && task && isUnwritten(task) && task.startedEventId !== 0
    ? unwrittenEvents(task, state.taskQueue)
    : [];
}

/** Scheduled, and Started when it is, under the ids that the task has; `taskQueue` is the run's own. */
export function unwrittenEvents(task: WorkflowTaskInfo, taskQueue: string): HistoryEvent[] {
  const scheduled: HistoryEvent = {
    eventId: longOf(task.scheduledEventId),
    eventTime: timestampOf(task.scheduledTime),
    eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    workflowTaskScheduledEventAttributes: {
      taskQueue: task.sticky
        ? {
            name: task.taskQueue,
            kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY,
            normalName: taskQueue,
          }
        : { name: task.taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      startToCloseTimeout: durationOf(task.timeoutMs),
      attempt: task.attempt,
    },
  };
  if (task.startedEventId === 0) return [scheduled];
  const reasons = task.continueAsNewReasons?.map((name) => SuggestContinueAsNewReason[name]);
  return [
    scheduled,
    {
      eventId: longOf(task.startedEventId),
      eventTime: timestampOf(task.startedTime),
      eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
      workflowTaskStartedEventAttributes: {
        scheduledEventId: longOf(task.scheduledEventId),
        identity: task.identity,
        requestId: task.requestId,
        suggestContinueAsNew: task.suggestContinueAsNew,
        ...(reasons && { suggestContinueAsNewReasons: reasons }),
        historySizeBytes: longOf(task.historyBytes),
      },
    },
  ];
}
