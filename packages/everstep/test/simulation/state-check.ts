/** What holds of a stored state, and of the step from one to the next (invariants 2, 5, 12, 14). */
import { rebuildState } from '../../src/core/rebuild.ts';
import { isOpen } from '../../src/core/state.ts';
import type { ActivityInfo, RunState } from '../../src/core/state.ts';
import type { OutboxMessage } from '../../src/core/input.ts';
import { ParentClosePolicy } from '../../src/core/proto.ts';
import type { HistoryEvent } from '../../src/core/proto.ts';
import { msOfDuration } from '../../src/core/time.ts';
import { isUnwritten } from '../../src/core/unwritten-task.ts';
import type { MemoryData } from '../../src/store/memory/memory-data.ts';
import type { RunColumns, RunRef } from '../../src/store/store.ts';
import type { Complain } from './history-check.ts';

/** 5: what waits in the buffer waits for a started workflow task. */
export function checkBuffer(state: RunState, complain: Complain): void {
  if (state.buffered.length > 0 && (state.workflowTask?.startedEventId ?? 0) === 0) {
    complain(5, `${state.buffered.length} events are buffered while no workflow task is started`);
  }
}

/** 17: with a close goes a message to each child that is open, unless that is to be left alone. */
export function checkClosedChildren(
  state: RunState,
  outbox: readonly Uint8Array[],
  close: HistoryEvent | undefined,
  complain: Complain,
): void {
  // The children of a run that is reset go to the run that follows it.
  const by = close?.workflowExecutionTerminatedEventAttributes?.identity;
  if (isOpen(state) || by === 'history-resetter') return;
  const told = outbox.map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as OutboxMessage);
  for (const { parentClosePolicy, workflowId, runId } of state.children.values()) {
    if (runId === '' || parentClosePolicy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) {
      continue;
    }
    if (!told.some((one) => one.kind === 'closeChild' && one.workflowId === workflowId)) {
      complain(17, `closes and leaves its child ${workflowId} open`);
    }
  }
}

/** 6: of what is open, each has an id of its own. A history does not show it: closes may wait in the buffer. */
export function checkUniqueIds(state: RunState, complain: Complain): void {
  const ids = [...state.activities.values()].map((activity) => activity.activityId);
  if (new Set(ids).size !== ids.length)
    complain(6, `open activities share an id: ${ids.join(' ')}`);
}

/** 12, first half: the column is no later than the earliest deadline, computed here once more. */
export function checkWakeAt(state: RunState, columns: RunColumns, complain: Complain): void {
  const deadline = isOpen(state) ? earliestDeadline(state) : Infinity;
  if (deadline === Infinity) return;
  if (columns.wakeAt === 0 || columns.wakeAt > deadline) {
    complain(12, `wakeAt is ${columns.wakeAt}, the earliest deadline is ${deadline}`);
  }
}

function earliestDeadline(state: RunState): number {
  if (state.schedule) return state.schedule.wakeAt || Infinity;
  if (state.batch) return state.batch.wakeAt || Infinity;
  const times: number[] = [];
  const add = (from: number, span: number): void => {
    if (from > 0 && span > 0) times.push(from + span);
  };
  if (state.runExpirationTime > 0) times.push(state.runExpirationTime);
  const stands = state.pause !== undefined;
  if (state.status === 'created' && !state.waitsForParent && !stands)
    times.push(state.executionTime);
  const task = state.workflowTask;
  if (task && task.startedEventId !== 0) add(task.startedTime, task.timeoutMs);
  else if (task && task.dispatchTime > task.scheduledTime) times.push(task.dispatchTime);
  else if (task) add(task.scheduledTime, task.scheduleToStartMs);
  const end = state.runExpirationTime || Infinity;
  for (const { expiryTime } of state.timers.values()) if (expiryTime < end) times.push(expiryTime);
  for (const activity of state.activities.values()) {
    if (activity.paused) continue;
    add(activity.firstScheduledTime, activity.scheduleToCloseMs);
    if (activity.startedTime === 0) {
      add(activity.scheduledTime, activity.scheduleToStartMs);
      if (!activity.dispatched && !stands) times.push(activity.scheduledTime);
    } else {
      add(activity.startedTime, activity.startToCloseMs);
      add(Math.max(activity.startedTime, activity.lastHeartbeatTime), activity.heartbeatMs);
    }
  }
  return Math.min(...times, Infinity);
}

/** 12, second half: what is dispatched and not started has a row in a queue. */
export function checkRows(
  state: RunState,
  ref: RunRef,
  data: MemoryData,
  complain: Complain,
): void {
  if (!isOpen(state)) return;
  const has = (kind: string, scheduledEventId: number, stamp: number): boolean => {
    for (const taskId of data.runs.get(ref)?.taskIds ?? []) {
      const row = data.tasks.get(taskId)?.row;
      if (row?.kind === kind && row.scheduledEventId === scheduledEventId && row.stamp === stamp) {
        return true;
      }
    }
    return false;
  };
  const task = state.workflowTask;
  if (task?.startedEventId === 0 && task.dispatchTime <= task.scheduledTime) {
    if (!has('workflow', task.scheduledEventId, task.stamp)) {
      complain(12, `workflow task ${task.scheduledEventId} (stamp ${task.stamp}) has no row`);
    }
  }
  for (const {
    startedTime,
    dispatched,
    paused,
    scheduledEventId,
    stamp,
  } of state.activities.values()) {
    if (startedTime !== 0 || !dispatched || paused) continue;
    if (!has('activity', scheduledEventId, stamp)) {
      complain(12, `activity ${scheduledEventId} (stamp ${stamp}) has no row`);
    }
  }
}

/** 23: a run that stands still is given no workflow task, and neither it nor a paused activity a start (PZ-1, AC-15). */
export function checkPaused(
  before: RunState | undefined,
  after: RunState,
  complain: Complain,
): void {
  if (!isOpen(after)) return;
  const task = after.workflowTask;
  if (after.pause && task) {
    const was = before?.workflowTask;
    const same = was?.scheduledEventId === task.scheduledEventId && was.stamp === task.stamp;
    if (task.startedEventId === 0) complain(23, 'stands still, and a workflow task waits');
    else if (!same || was.startedEventId === 0) {
      complain(23, `stands still, and workflow task ${task.scheduledEventId} is started`);
    }
  }
  for (const [id, activity] of after.activities) {
    if (!activity.paused && !after.pause) continue;
    const was = before?.activities.get(id);
    if (activity.startedTime === 0) {
      if (activity.dispatched) complain(23, `activity ${id} is dispatched while it is paused`);
    } else if (was === undefined || was.startedTime === 0 || was.stamp !== activity.stamp) {
      complain(23, `activity ${id} is started while it is paused`);
    }
  }
}

/**
 * 14: attempts follow one another, no sooner than the policy says, and not past the maximum. Asked of each
 * transition: one commit of a process that stood still may hold the start of an attempt and its end.
 */
export function checkAttempts(
  before: RunState | undefined,
  after: RunState,
  /** Somebody has asked to reset its activities, or to change their options. */
  operated: boolean,
  complain: Complain,
): void {
  if (!before) return;
  for (const [id, activity] of after.activities) {
    const was = before.activities.get(id);
    if (was === undefined) continue;
    if (activity.reset && !operated) complain(14, `activity ${id} is reset, and nobody asked`);
    if (activity.attempt === was.attempt && !restarted(was, activity)) continue;
    // AC-15: one that waits is at its first attempt again.
    if (operated && activity.attempt === 1 && was.startedTime === 0) continue;
    // A paused one parks, whatever attempts are left.
    const { maximumAttempts } = was.retryPolicy;
    if (maximumAttempts > 0 && activity.attempt > maximumAttempts && !activity.paused) {
      complain(14, `activity ${id} is at attempt ${activity.attempt} of ${maximumAttempts}`);
    }
    if (activity.attempt !== attemptOf(was) + 1) {
      complain(14, `activity ${id} goes from attempt ${was.attempt} to ${activity.attempt}`);
    }
    if (was.startedTime === 0) complain(14, `activity ${id} is retried and was not started`);
    // It is dispatched when somebody lets it go on.
    if (activity.paused) continue;
    const waits = activity.scheduledTime - activity.lastAttemptCompleteTime;
    const least = backoffOf(was, activity);
    if (waits < least - 0.001) complain(14, `activity ${id} waits ${waits} ms of ${least}`);
  }
}

/** The attempt during which an activity was reset counts as the first (AC-15). */
function attemptOf({ reset, attempt }: ActivityInfo): number {
  return reset ? 1 : attempt;
}

/** The second attempt failed after a reset: the next is the second again. */
function restarted(was: ActivityInfo, now: ActivityInfo): boolean {
  return was.reset === true && now.reset !== true && was.startedTime > 0 && now.startedTime === 0;
}

function backoffOf(was: ActivityInfo, now: ActivityInfo): number {
  const own = now.lastFailure?.applicationFailureInfo?.nextRetryDelay;
  if (own) return msOfDuration(own);
  const { initialIntervalMs, backoffCoefficient, maximumIntervalMs } = was.retryPolicy;
  return Math.min(
    maximumIntervalMs,
    initialIntervalMs * backoffCoefficient ** Math.max(0, attemptOf(was) - 1),
  );
}

const heldBack: ReadonlySet<string> = new Set(['activities', 'timers', 'children', 'externals']);

/** 2: the history alone makes the same state, less what no event tells. */
export function checkRebuilt(
  state: RunState,
  events: readonly HistoryEvent[],
  /** Activities with other options than their events say. */
  reoptioned: ReadonlySet<number>,
  complain: Complain,
): void {
  // What waits in the buffer is known to the state and not yet to the history.
  if (state.buffered.length > 0) return;
  const { namespaceId, namespace, runId, createRequestId } = state;
  const rebuilt = rebuildState(events, { namespaceId, namespace, runId, createRequestId });
  const stored = told(state, reoptioned);
  // A reset run has its time again, which its copied history does not tell.
  const reset = events.some(
    (event) => event.workflowTaskFailedEventAttributes?.newRunId === state.runId,
  );
  for (const [field, value] of Object.entries(told(rebuilt, reoptioned))) {
    if (reset && field === 'times') continue;
    // A close drops what was held back, so some of what had ended looks open.
    if (!isOpen(state) && heldBack.has(field)) continue;
    const [a, b] = [JSON.stringify(value), JSON.stringify(stored[field])];
    if (a !== b) complain(2, `${field}: the history makes ${a}, stored is ${b}`);
  }
}

function told(state: RunState, reoptioned: ReadonlySet<number>): Record<string, unknown> {
  const task = state.workflowTask;
  return {
    status: state.status,
    chain: [state.firstRunId, state.originalRunId, state.newRunId, state.attempt],
    parent: state.parent,
    type: [state.workflowType, state.taskQueue, state.cronSchedule],
    times: [state.startTime, state.executionTime, state.runExpirationTime, state.closeTime],
    timeouts: [state.runTimeoutMs, state.executionTimeoutMs, state.workflowTaskTimeoutMs],
    nextEventId: state.nextEventId,
    lastCompleted: state.lastCompletedStartedEventId,
    pause: [state.pause?.requestId, state.pause?.reason],
    priority: state.priority?.priorityKey ?? 0,
    signals: state.signalCount,
    cancelRequested: state.cancelRequested,
    // A later attempt is not in the history, nor is a speculative task.
    workflowTask:
      task && !isUnwritten(task) ? [task.scheduledEventId, task.startedEventId] : undefined,
    activities: [...state.activities.values()].map((activity) => [
      activity.scheduledEventId,
      activity.activityId,
      activity.activityType,
      activity.cancelRequestedEventId,
      ...(reoptioned.has(activity.scheduledEventId)
        ? []
        : [
            activity.taskQueue,
            activity.scheduleToCloseMs,
            activity.startToCloseMs,
            activity.heartbeatMs,
          ]),
    ]),
    // An id that is used again while its firing was held back has its old place in one of them.
    timers: [...state.timers.values()].sort((a, b) => a.startedEventId - b.startedEventId),
    children: [...state.children.values()].map((child) => [
      child.initiatedEventId,
      child.startedEventId,
      child.workflowId,
      child.runId,
      child.parentClosePolicy,
    ]),
    updates: [...state.completedUpdates.keys()].sort(),
    externals: [...state.externalCancels.keys(), ...state.externalSignals.keys()],
    memo: Object.keys(state.memo?.fields ?? {}).sort(),
  };
}
