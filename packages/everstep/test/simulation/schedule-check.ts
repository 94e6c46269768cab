/** 21: each nominal time of a schedule is started, skipped, missed or waits, and is that once. */
import { compileSpec } from '../../src/core/schedule/schedule-spec.ts';
import type { ScheduleState } from '../../src/core/schedule/schedule-state.ts';
import { seedOf } from '../../src/core/schedule/schedule-times.ts';
import type { RunState } from '../../src/core/state.ts';
import type { Complain } from './history-check.ts';

export function checkSchedule(
  before: RunState | undefined,
  state: RunState,
  complain: Complain,
): void {
  const is = state.schedule;
  const was = before?.schedule;
  if (!is || !was) return;
  if (is.processedTime < was.processedTime) {
    complain(21, `goes back from ${was.processedTime} to ${is.processedTime}`);
  }
  const ids = [...is.starting, ...is.running].map(({ actionId }) => actionId);
  if (new Set(ids).size !== ids.length) complain(21, `has an action twice: ${ids.join(' ')}`);
  if (is.actionCount + is.starting.length > is.nextActionId - 1) {
    complain(21, `has started more than the ${is.nextActionId - 1} actions it decided on`);
  }
  // Times pass while it is paused, and a change may bring any number of them.
  if (is.conflictToken !== was.conflictToken || is.schedule.state?.paused) return;
  if (is.schedule.state?.limitedActions) return;
  const due = timesBetween(state.workflowId, is, was.processedTime);
  const decided = toldOf(is) - toldOf(was);
  // Triggers and backfills come on top; they are no nominal times of the schedule's own.
  const manual = is.backfills.length > 0 || was.backfills.length > 0 || requested(is, was);
  if (manual ? decided < due : decided !== due) {
    complain(21, `decides on ${decided} times of ${due} that came`);
  }
}

/** What it says of all times together. */
function toldOf(s: ScheduleState): number {
  return (
    s.actionCount +
    s.starting.length +
    s.buffered.length +
    s.overlapSkipped +
    s.missedCatchupWindow +
    s.bufferDropped
  );
}

function requested(is: ScheduleState, was: ScheduleState): boolean {
  return is.requestIds.length !== was.requestIds.length;
}

/** Nominal times after that one and up to the last that was decided. */
function timesBetween(scheduleId: string, s: ScheduleState, after: number): number {
  const spec = compileSpec(s.schedule.spec ?? {});
  let count = 0;
  for (let at = after; ;) {
    const next = spec.nextTime(at, seedOf(scheduleId, s));
    if (!next || next.nominal > s.processedTime) return count;
    count += 1;
    at = next.nominal;
  }
}
