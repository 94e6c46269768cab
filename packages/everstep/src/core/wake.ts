/**
 * Time. A run's earliest deadline is derived from its state in every transition (decision 4), and one wake-up
 * makes everything happen that is due by then: no deadline has a row of its own that could be lost.
 */
import { expireActivities, activityWakeAt, loseActivities } from './activity-timeouts.ts';
import { accepted } from './answer.ts';
import { timeOutRun } from './close.ts';
import type { Draft } from './draft.ts';
import type { Answer, InputOf } from './input.ts';
import { wakeBatch } from './batch/batch.ts';
import { wakeSchedule } from './schedule/schedule.ts';
import { isOpen } from './state.ts';
import type { RunState } from './state.ts';
import { fireTimers, timerWakeAt } from './timer.ts';
import { expireWorkflowTask, loseWorkflowTask } from './workflow-task-failure.ts';
import { awaitsFirstWorkflowTask, dispatchOf, scheduleWorkflowTask } from './workflow-task.ts';

/** When this run must be woken, in epoch milliseconds; 0 = nothing is to come. */
export function wakeAt(state: RunState): number {
  if (!isOpen(state)) return 0;
  if (state.schedule) return state.schedule.wakeAt;
  if (state.batch) return state.batch.wakeAt;
  let at = earlier(0, state.runExpirationTime);
  if (state.status === 'created' && !state.waitsForParent && !state.pause)
    at = earlier(at, state.executionTime);
  at = earlier(at, workflowTaskWakeAt(state));
  at = earlier(at, timerWakeAt(state));
  for (const activity of state.activities.values()) {
    at = earlier(at, activityWakeAt(activity, state.pause !== undefined));
  }
  return at;
}

function earlier(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b);
}

function workflowTaskWakeAt(state: RunState): number {
  const task = state.workflowTask;
  if (!task) return 0;
  if (task.startedEventId !== 0) return task.startedTime + task.timeoutMs;
  if (task.dispatchTime > task.scheduledTime) return task.dispatchTime;
  return task.scheduleToStartMs > 0 ? task.scheduledTime + task.scheduleToStartMs : 0;
}

/**
 * The run's end comes first, for nothing may follow it; then the workflow task's timeout, so that what fires next
 * is seen by the task that replaces it; then timers and activities. Woken early, or late, or twice, it does what
 * is due and no more.
 */
export function wake(draft: Draft, input: InputOf<'wake'>): Answer<undefined> {
  const { state, now } = draft;
  if (!isOpen(state)) return accepted;
  if (state.schedule) {
    wakeSchedule(draft);
    return accepted;
  }
  if (state.batch) {
    wakeBatch(draft);
    return accepted;
  }
  if (state.runExpirationTime > 0 && now >= state.runExpirationTime) {
    timeOutRun(draft);
    return accepted;
  }
  if (state.status === 'created') {
    // The first-task backoff is over; what came meanwhile waits for this task.
    if (!awaitsFirstWorkflowTask(state, now)) scheduleWorkflowTask(draft);
  } else {
    expireWorkflowTask(draft);
    dispatchLate(draft);
  }
  // TM-2: what the waker saw as due is due, even if the clock went back since.
  const at = Math.max(now, input.dueAt ?? 0);
  fireTimers(draft, at);
  expireActivities(draft, at);
  return accepted;
}

/** WT-2: the backoff of a later attempt is over. */
function dispatchLate(draft: Draft): void {
  const { state, now } = draft;
  const task = state.workflowTask;
  if (!task || task.startedEventId !== 0 || task.dispatchTime <= task.scheduledTime) return;
  if (now < task.dispatchTime) return;
  state.workflowTask = { ...task, dispatchTime: task.scheduledTime };
  draft.tasks.push(dispatchOf(state, task));
  draft.touch();
}

/** Decision 11. */
export function processLost(draft: Draft, input: InputOf<'processLost'>): Answer<undefined> {
  if (!isOpen(draft.state)) return accepted;
  loseWorkflowTask(draft, input);
  loseActivities(draft, input);
  return accepted;
}
