/** How a workflow task ends without success: reported, timed out, or lost with its process (WT-28 … WT-35). */
import { accepted, notFound } from './answer.ts';
import { terminateRun } from './close.ts';
import type { Draft } from './draft.ts';
import type { Answer, InputOf } from './input.ts';
import { EventType, TimeoutType, WorkflowTaskFailedCause } from './proto.ts';
import type { Failure } from './proto.ts';
import { reportProblem } from './reported-problems.ts';
import type { WorkflowTaskInfo } from './state.ts';
import { longOf } from './time.ts';
import { causeName } from './workflow-task-cause.ts';
import {
  applyFailed,
  applyTimedOut,
  dropFailedTask,
  scheduleWorkflowTask,
  taskOfToken,
} from './workflow-task.ts';

const causes = WorkflowTaskFailedCause;

export interface TaskFailure {
  readonly cause: WorkflowTaskFailedCause;
  readonly failure?: Failure | null | undefined;
  readonly identity: string;
  readonly binaryChecksum?: string | null | undefined;
  /** RS-2. */
  readonly reset?: { readonly baseRunId: string; readonly newRunId: string };
}

/** The task is gone; attempts above 1 leave no event (table EV). The caller schedules the next. */
export function endFailedTask(draft: Draft, task: WorkflowTaskInfo, problem: TaskFailure): void {
  if (task.attempt > 1) {
    dropFailedTask(draft, true);
    draft.state.closeAttempted =
      problem.cause === causes.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  } else {
    applyFailed(
      draft,
      draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, {
        workflowTaskFailedEventAttributes: {
          scheduledEventId: longOf(task.scheduledEventId),
          startedEventId: longOf(task.startedEventId),
          cause: problem.cause,
          ...(problem.failure && { failure: problem.failure }),
          identity: problem.identity,
          ...(problem.binaryChecksum && { binaryChecksum: problem.binaryChecksum }),
          ...(problem.reset && { ...problem.reset, forkEventVersion: longOf(0) }),
        },
      }),
    );
  }
  reportProblem(draft, 'WorkflowTaskFailed', `WorkflowTaskFailedCause${causeName(problem.cause)}`);
}

export function failWorkflowTask(
  draft: Draft,
  input: InputOf<'failWorkflowTask'>,
): Answer<undefined> {
  const task = taskOfToken(draft.state, input.token);
  if (!task) return notFound('Workflow task not found.');
  const cause = input.cause as WorkflowTaskFailedCause;
  if (
    cause === causes.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE ||
    cause === causes.WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE
  ) {
    // WT-31: trying again would send the same message.
    terminateRun(draft, {
      reason: causeName(cause),
      identity: 'history-service',
      cause,
      failure: input.failure,
    });
    return accepted;
  }
  endFailedTask(draft, task, { cause, failure: input.failure, identity: input.identity });
  scheduleWorkflowTask(draft);
  return accepted;
}

/** WT-28 for start-to-close, WT-29 for the schedule-to-start of a sticky queue. */
export function timeOutWorkflowTask(
  draft: Draft,
  task: WorkflowTaskInfo,
  timeoutType: TimeoutType,
): void {
  if (task.attempt > 1) {
    dropFailedTask(draft, timeoutType !== TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
  } else {
    applyTimedOut(
      draft,
      draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, {
        workflowTaskTimedOutEventAttributes: {
          scheduledEventId: longOf(task.scheduledEventId),
          startedEventId: longOf(task.startedEventId),
          timeoutType,
        },
      }),
    );
  }
  reportProblem(draft, 'WorkflowTaskTimedOut', 'WorkflowTaskTimedOutCauseStartToClose');
}

/** The workflow task's part of a wake-up: its timeout, bound to the task as it stands now (WT-12), or its dispatch. */
export function expireWorkflowTask(draft: Draft): void {
  const task = draft.state.workflowTask;
  if (!task) return;
  if (task.startedEventId !== 0) {
    if (draft.now < task.startedTime + task.timeoutMs) return;
    timeOutWorkflowTask(draft, task, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE);
  } else {
    if (task.scheduleToStartMs === 0 || draft.now < task.scheduledTime + task.scheduleToStartMs)
      return;
    timeOutWorkflowTask(draft, task, TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
  }
  scheduleWorkflowTask(draft);
}

/**
 * Decision 11. The process that held the task is dead, and with it the cache behind its sticky queue. The worker
 * did nothing wrong, so no attempt is counted: stickiness goes and the task is scheduled again at once. A first
 * attempt's started event stands in the history and needs its end, so it is written as timed out.
 */
export function loseWorkflowTask(
  draft: Draft,
  { processId, requestIds }: InputOf<'processLost'>,
): void {
  const task = draft.state.workflowTask;
  if (!task || task.startedEventId === 0 || task.processId !== processId) return;
  if (requestIds?.includes(task.requestId) === false) return;
  const attempt = draft.state.workflowTaskAttempt;
  const problems = draft.state.workflowTaskProblems;
  if (task.attempt > 1) {
    dropFailedTask(draft, false);
  } else {
    applyTimedOut(
      draft,
      draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, {
        workflowTaskTimedOutEventAttributes: {
          scheduledEventId: longOf(task.scheduledEventId),
          startedEventId: longOf(task.startedEventId),
          timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
        },
      }),
    );
  }
  draft.state.workflowTaskAttempt = attempt;
  draft.state.workflowTaskProblems = problems;
  scheduleWorkflowTask(draft);
}

/** WT-35: too much waits behind a started task, which ends so that it can be flushed. */
export function limitBuffer(draft: Draft, bufferedBytes: () => number): void {
  const { state, env } = draft;
  const task = state.workflowTask;
  if (!task || task.startedEventId === 0) return;
  const over =
    state.buffered.length > env.limits.bufferedEventsMax ||
    (state.buffered !== draft.bufferedBefore && bufferedBytes() > env.limits.bufferedBytesMax);
  if (!over) return;
  endFailedTask(draft, task, {
    cause: causes.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    identity: 'history-service',
  });
  scheduleWorkflowTask(draft);
}
