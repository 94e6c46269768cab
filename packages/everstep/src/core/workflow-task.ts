/**
 * The workflow task: the one turn a run's worker has at a time (section 3).
 *
 *   none → scheduled → started → completed | failed | timed out → none
 *
 * This file schedules and starts it and applies its events; workflow-task-completion.ts and
 * workflow-task-failure.ts end it. Attempts above 1 leave no events (WT-3), nor do speculative tasks at first
 * (speculative-task.ts), so whatever the history cannot tell is kept in `workflowTask`, `workflowTaskAttempt` and
 * `workflowTaskStamp` of the state.
 */
import proto from '@temporalio/proto';
import { accept, accepted, alreadyCompleted, notFound } from './answer.ts';
import { flushBuffer } from './buffer.ts';
import type { Draft, Mutable } from './draft.ts';
import type { EventTable } from './event-table.ts';
import type { Answer, DispatchTask, InputOf, Replies, WorkflowTaskToken } from './input.ts';
import { InvariantViolation } from './invariant.ts';
import { EventType, TimeoutType } from './proto.ts';
import type { HistoryEvent, UpdateMessage } from './proto.ts';
import { clearReportedProblems } from './reported-problems.ts';
import { addResetPoint } from './reset-points.ts';
import { copyOfWorkflowTask, isOpen } from './state.ts';
import type { ContinueAsNewReason, RunState, WorkflowTaskInfo } from './state.ts';
import { durationOf, longOf, msOfDuration, msOfTimestamp, numberOf, timestampOf } from './time.ts';
import { isUnwritten, unwrittenEvents } from './unwritten-task.ts';
import { sendUpdates, sentUpdates } from './update.ts';

const { TaskQueueKind, SuggestContinueAsNewReason } = proto.temporal.api.enums.v1;
type TaskQueue = proto.temporal.api.taskqueue.v1.ITaskQueue;

export interface ScheduleOptions {
  /** WT-24: a heartbeat keeps the time of the task it continues. */
  readonly originalScheduledTime?: number;
  /** WT-23: the new task travels in the reply, so no row is made for a queue. */
  readonly returned?: boolean;
  /** SG-3, SG-5: a signal-with-start and a cancel request do not wait for the first backoff to pass, nor for the parent. */
  readonly beforeFirst?: boolean;
  /** WT-36: only an update wants it. The first task of a run, and one that has more to tell, is a normal one. */
  readonly speculative?: boolean;
}

/** MS-6, SG-2: nothing but time (or the parent, CH-2) may schedule the first workflow task. */
export function awaitsFirstWorkflowTask(state: RunState, now: number): boolean {
  return state.status === 'created' && (state.waitsForParent === true || now < state.executionTime);
}

/** WT-1: schedules one unless one is pending, the run is closed, or the first may not come yet. */
export function scheduleWorkflowTask(
  draft: Draft,
  options: ScheduleOptions = {},
): DispatchTask | undefined {
  const { state, now } = draft;
  if (state.workflowTask || !isOpen(state)) return undefined;
  if (state.pause) {
    // PZ-1: the one that comes when the run goes on sees what has come until then.
    if (state.buffered.length > 0) {
      state.workflowTaskAttempt = 1;
      flushBuffer(draft);
    }
    return undefined;
  }
  if (!options.beforeFirst && awaitsFirstWorkflowTask(state, now)) return undefined;
  const hasMore = state.buffered.length > 0;
  if (hasMore) {
    // WT-4: what the worker has not seen makes it a new task and not a repetition.
    state.workflowTaskAttempt = 1;
    flushBuffer(draft);
  }
  const attempt = state.workflowTaskAttempt;
  const speculative =
    options.speculative === true &&
    attempt === 1 &&
    !hasMore &&
    state.lastCompletedStartedEventId > 0;
  if (attempt === 1 && !speculative) {
    applyScheduled(
      draft,
      draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, {
        workflowTaskScheduledEventAttributes: {
          taskQueue: currentQueue(state),
          startToCloseTimeout: durationOf(state.workflowTaskTimeoutMs),
          attempt,
        },
      }),
    );
  } else {
    // A queued copy of the attempt before has the same scheduled id, so the stamp must tell them apart.
    state.workflowTaskStamp += 1;
    state.status = 'running';
    const unwritten = scheduledTask(
      state,
      state.nextEventId,
      now,
      state.workflowTaskTimeoutMs,
      attempt,
    );
    if (speculative) unwritten.kind = 'speculative';
    state.workflowTask = unwritten;
    draft.touch();
  }
  const task = pending(draft);
  if (options.originalScheduledTime) {
    const continued = copyOfWorkflowTask(task);
    continued.originalScheduledTime = options.originalScheduledTime;
    state.workflowTask = continued;
  }
  const backoffMs = retryBackoffMs(draft, attempt);
  if (backoffMs > 0) {
    state.workflowTask = { ...task, dispatchTime: now + backoffMs };
    return undefined;
  }
  const dispatch = dispatchOf(state, task);
  if (!options.returned) draft.tasks.push(dispatch);
  return dispatch;
}

/** The worker has no cache of this run any more. A task already on its sticky queue is dropped there (WT-7). */
export function clearStickiness(draft: Draft): Answer<undefined> {
  const { state } = draft;
  if (!isOpen(state)) return alreadyCompleted();
  if (!state.sticky) return accepted;
  state.sticky = undefined;
  draft.touch();
  const task = state.workflowTask;
  if (task?.sticky && task.startedEventId === 0) {
    const moved = { ...task, sticky: false, taskQueue: state.taskQueue, scheduleToStartMs: 0 };
    state.workflowTask = moved;
    draft.tasks.push(dispatchOf(state, moved));
  }
  return accepted;
}

/** WT-2, from attempt 4 on: 5 s, doubled each time, at most 10 min. The wake-up dispatches then. */
function retryBackoffMs(draft: Draft, attempt: number): number {
  const limits = draft.env.limits;
  const over = attempt - limits.workflowTaskBackoffFromAttempt;
  return over < 0
    ? 0
    : Math.min(limits.workflowTaskBackoffMaxMs, limits.workflowTaskBackoffBaseMs * 2 ** over);
}

export function dispatchOf(state: RunState, task: WorkflowTaskInfo): DispatchTask {
  return {
    kind: 'workflow',
    taskQueue: task.taskQueue,
    normalTaskQueue: task.sticky ? state.taskQueue : '',
    scheduledEventId: task.scheduledEventId,
    stamp: task.stamp,
    type: state.workflowType,
  };
}

function currentQueue(state: RunState): TaskQueue {
  return state.sticky
    ? {
        name: state.sticky.taskQueue,
        kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY,
        normalName: state.taskQueue,
      }
    : { name: state.taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL };
}

function scheduledTask(
  state: RunState,
  scheduledEventId: number,
  time: number,
  timeoutMs: number,
  attempt: number,
): Mutable<WorkflowTaskInfo> {
  return {
    scheduledEventId,
    startedEventId: 0,
    requestId: '',
    attempt,
    stamp: state.workflowTaskStamp,
    kind: 'normal',
    timeoutMs,
    scheduledTime: time,
    originalScheduledTime: time,
    startedTime: 0,
    dispatchTime: time,
    taskQueue: state.sticky?.taskQueue ?? state.taskQueue,
    sticky: state.sticky !== undefined,
    scheduleToStartMs: state.sticky?.scheduleToStartMs ?? 0,
    identity: '',
    processId: undefined,
    historyBytes: 0,
    suggestContinueAsNew: false,
    continueAsNewReasons: undefined,
  };
}

function pending(draft: Draft): WorkflowTaskInfo {
  const task = draft.state.workflowTask;
  if (!task)
    throw new InvariantViolation('no workflow task is pending', { runId: draft.state.runId });
  return task;
}

/** A poll, the local runtime or the completion of the task before takes the task (WT-7 … WT-12). */
export function startWorkflowTask(
  draft: Draft,
  input: InputOf<'startWorkflowTask'>,
): Answer<Replies['startWorkflowTask']> {
  const { state, now } = draft;
  if (!isOpen(state)) return alreadyCompleted();
  let task = state.workflowTask;
  if (!task || task.scheduledEventId !== input.scheduledEventId || task.stamp !== input.stamp) {
    return notFound('Workflow task not found.');
  }
  if (task.startedEventId !== 0) {
    return task.requestId === input.requestId
      ? accept(startedReply(state, task, sentUpdates(state)))
      : notFound('Workflow task already started.');
  }
  if (task.sticky && input.taskQueue === state.taskQueue) {
    // WT-6: nobody polls the sticky queue; who took it has no cache.
    state.sticky = undefined;
    task = { ...task, sticky: false, taskQueue: state.taskQueue, scheduleToStartMs: 0 };
    state.workflowTask = task;
  } else if (input.taskQueue !== task.taskQueue) {
    return notFound('Workflow task is no longer on this task queue.'); // WT-7
  }
  if (task.attempt > 1 && task.scheduledEventId !== state.nextEventId) {
    // WT-9: something was added since, so it is a task of its own. To a speculative one that happened then (WT-37).
    state.workflowTaskAttempt = 1;
    applyScheduled(
      draft,
      draft.append({
        eventTime: timestampOf(now),
        eventType: EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
        workflowTaskScheduledEventAttributes: {
          taskQueue: currentQueue(state),
          startToCloseTimeout: durationOf(task.timeoutMs),
          attempt: 1,
        },
      }),
    );
    task = pending(draft);
  }
  const reasons = continueAsNewReasons(draft);
  let started: Mutable<WorkflowTaskInfo>;
  if (!isUnwritten(task)) {
    started = applyStarted(
      draft,
      draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, {
        workflowTaskStartedEventAttributes: {
          scheduledEventId: longOf(task.scheduledEventId),
          identity: input.identity,
          requestId: input.requestId,
          suggestContinueAsNew: reasons.length > 0,
          suggestContinueAsNewReasons: reasons.map((name) => SuggestContinueAsNewReason[name]),
          historySizeBytes: longOf(state.historyBytes),
        },
      }),
    );
  } else {
    started = copyOfWorkflowTask(task);
    started.startedEventId = task.scheduledEventId + 1;
    started.startedTime = now;
    started.requestId = input.requestId;
    started.identity = input.identity;
    started.historyBytes = state.historyBytes;
    started.suggestContinueAsNew = reasons.length > 0;
    if (reasons.length > 0) started.continueAsNewReasons = reasons;
    state.workflowTask = started;
    draft.touch();
  }
  started.processId = input.processId;
  return accept(startedReply(state, started, sendUpdates(draft, task.sticky)));
}

/** WT-10. */
function continueAsNewReasons(draft: Draft): ContinueAsNewReason[] {
  const { state, env } = draft;
  const reasons: ContinueAsNewReason[] = [];
  if (state.historyBytes >= env.limits.suggestContinueAsNewBytes) {
    reasons.push('SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE');
  }
  const updates = state.completedUpdates.size + state.updates.size;
  if (updates >= 0.9 * env.limits.updatesMax) {
    reasons.push('SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES');
  }
  if (state.nextEventId - 1 >= env.limits.suggestContinueAsNewEvents) {
    reasons.push('SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS');
  }
  return reasons;
}

function startedReply(
  state: RunState,
  task: WorkflowTaskInfo,
  messages: readonly UpdateMessage[],
): Replies['startWorkflowTask'] {
  return {
    workflowTask: task,
    previousStartedEventId: state.lastCompletedStartedEventId,
    transientEvents: isUnwritten(task) ? unwrittenEvents(task, state.taskQueue) : [],
    token: tokenOf(task),
    messages,
  };
}

function tokenOf(task: WorkflowTaskInfo): WorkflowTaskToken {
  return {
    scheduledEventId: task.scheduledEventId,
    startedEventId: task.startedEventId,
    startedTime: task.startedTime,
    attempt: task.attempt,
    stamp: task.stamp,
  };
}

/** WT-13: the started task this token is for, or undefined. */
export function taskOfToken(
  state: RunState,
  token: WorkflowTaskToken,
): WorkflowTaskInfo | undefined {
  const task = state.workflowTask;
  return task &&
    isOpen(state) &&
    task.startedEventId !== 0 &&
    task.scheduledEventId === token.scheduledEventId &&
    task.startedEventId === token.startedEventId &&
    task.startedTime === token.startedTime &&
    task.attempt === token.attempt &&
    task.stamp === token.stamp
    ? task
    : undefined;
}

/**
 * An attempt above 1 and a speculative task get their two events at last: it completed, so they are history after all.
 * Its ids are the next two, unless something that is never buffered came in between.
 */
export function writeUnwritten(draft: Draft, task: WorkflowTaskInfo): WorkflowTaskInfo {
  if (!isUnwritten(task)) return task;
  const [scheduled, started] = unwrittenEvents(task, draft.state.taskQueue);
  if (!scheduled || !started) return task;
  const scheduledEventId = draft.append(scheduled).eventId;
  draft.append({
    ...started,
    workflowTaskStartedEventAttributes: {
      ...started.workflowTaskStartedEventAttributes,
      ...(scheduledEventId && { scheduledEventId }),
    },
  });
  return {
    ...task,
    scheduledEventId: numberOf(scheduledEventId),
    startedEventId: numberOf(scheduledEventId) + 1,
  };
}

/**
 * The task is gone and did not succeed. WT-28: with a sticky queue set the worker's cache is to blame, and the
 * next attempt is a first one on the normal queue; otherwise attempts count up.
 */
export function dropFailedTask(draft: Draft, counts: boolean): void {
  const { state } = draft;
  const increment = counts && state.sticky === undefined;
  state.sticky = undefined;
  state.workflowTask = undefined;
  state.closeAttempted = false;
  if (increment) {
    state.workflowTaskAttempt += 1;
    state.workflowTaskProblems += 1;
  } else {
    state.workflowTaskAttempt = 1;
  }
  draft.touch();
}

function applyScheduled(draft: Draft, event: HistoryEvent): void {
  const { state } = draft;
  const attributes = event.workflowTaskScheduledEventAttributes;
  const queue = attributes?.taskQueue;
  state.status = 'running';
  state.waitsForParent = undefined;
  state.workflowTaskAttempt = attributes?.attempt ?? 1;
  const task = scheduledTask(
    state,
    numberOf(event.eventId),
    msOfTimestamp(event.eventTime),
    msOfDuration(attributes?.startToCloseTimeout),
    state.workflowTaskAttempt,
  );
  const sticky = queue?.kind === TaskQueueKind.TASK_QUEUE_KIND_STICKY;
  // From history alone the queue's schedule-to-start timeout is not known; the task then has none.
  task.taskQueue = queue?.name ?? state.taskQueue;
  task.sticky = sticky;
  if (!sticky) task.scheduleToStartMs = 0;
  state.workflowTask = task;
}

function applyStarted(draft: Draft, event: HistoryEvent): Mutable<WorkflowTaskInfo> {
  const attributes = event.workflowTaskStartedEventAttributes;
  const task = copyOfWorkflowTask(pending(draft));
  task.startedEventId = numberOf(event.eventId);
  task.startedTime = msOfTimestamp(event.eventTime);
  task.requestId = attributes?.requestId ?? '';
  task.identity = attributes?.identity ?? '';
  task.historyBytes = numberOf(attributes?.historySizeBytes);
  task.suggestContinueAsNew = attributes?.suggestContinueAsNew ?? false;
  draft.state.workflowTask = task;
  return task;
}

export function applyCompleted(draft: Draft, event: HistoryEvent): void {
  const { state } = draft;
  state.workflowTask = undefined;
  state.workflowTaskAttempt = 1;
  state.workflowTaskProblems = 0;
  state.closeAttempted = false;
  state.lastCompletedStartedEventId = numberOf(
    event.workflowTaskCompletedEventAttributes?.startedEventId,
  );
  addResetPoint(draft, event);
  clearReportedProblems(draft);
}

export function applyFailed(draft: Draft, event: HistoryEvent): void {
  dropFailedTask(draft, true);
  const cause = event.workflowTaskFailedEventAttributes?.cause;
  const { WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;
  if (cause === WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) {
    draft.state.workflowTaskAttempt = 1;
  }
  // WT-17: the worker wanted to close and could not, so that what is new must wait.
  draft.state.closeAttempted =
    cause === WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
}

export function applyTimedOut(draft: Draft, event: HistoryEvent): void {
  const type = event.workflowTaskTimedOutEventAttributes?.timeoutType;
  dropFailedTask(draft, type !== TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START);
}

export const workflowTaskEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED]: applyScheduled,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED]: applyStarted,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]: applyCompleted,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]: applyFailed,
  [EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT]: applyTimedOut,
};
