/** Questions about a schedule's times that change nothing. */
import type Long from 'long';
import { longOf, msOfDuration, numberOf } from '../time.ts';
import { compileSpec } from './schedule-spec.ts';
import type { ScheduleState } from './schedule-state.ts';

type Times = Pick<ScheduleState, 'namespaceId' | 'schedule'>;

/** SC-4: what the jitter of a schedule's times is drawn from. */
export function seedOf(scheduleId: string, { namespaceId }: Times): string {
  return `${namespaceId}:${scheduleId}`;
}

/** SC-6: whether the spec's own times are acted upon. */
export function canTakeActions({ schedule }: Times): boolean {
  const { paused, limitedActions, remainingActions: left } = schedule.state ?? {};
  return !paused && (!limitedActions || numberOf(left) > 0);
}

export function remainingActions({ schedule }: Times, change = 0): Long {
  return longOf(numberOf(schedule.state?.remainingActions) + change);
}

/**
 * The instant up to which every nominal time lies back by `now`, actual time included: `now`, unless jitter still
 * holds back the last nominal time. Of two nominal times in a row the earlier's actual time comes before the later.
 */
export function decidedUpTo(scheduleId: string, s: Times, now: number): number {
  const spec = compileSpec(s.schedule.spec ?? {});
  const seed = seedOf(scheduleId, s);
  const jitterMs = msOfDuration(s.schedule.spec?.jitter);
  for (let backMs = 1_000; jitterMs > 0; backMs *= 2) {
    let time = spec.nextTime(now - Math.min(backMs, jitterMs) - 1, seed);
    let last = undefined;
    while (time && time.nominal <= now) {
      last = time;
      time = spec.nextTime(time.nominal, seed);
    }
    if (last) return last.actual <= now ? now : last.nominal - 1;
    if (backMs >= jitterMs) return now;
  }
  return now;
}

/** The next actual times, none of them for actions that do not remain. */
export function futureTimes(
  scheduleId: string,
  s: Times & Pick<ScheduleState, 'processedTime'>,
  now: number,
  countMax: number,
): number[] {
  const spec = compileSpec(s.schedule.spec ?? {});
  const seed = seedOf(scheduleId, s);
  const left = s.schedule.state?.limitedActions
    ? numberOf(s.schedule.state.remainingActions)
    : countMax;
  const times: number[] = [];
  let after = canTakeActions(s)
    ? s.processedTime
    : Math.max(s.processedTime, decidedUpTo(scheduleId, s, now));
  while (times.length < Math.min(left, countMax)) {
    const time = spec.nextTime(after, seed);
    if (!time) break;
    times.push(time.actual);
    after = time.nominal;
  }
  return times;
}

/** Actual times in a range: ListScheduleMatchingTimes. */
export function matchingTimes(
  scheduleId: string,
  s: Times,
  range: { readonly after: number; readonly end: number; readonly countMax: number },
): number[] {
  const spec = compileSpec(s.schedule.spec ?? {});
  const seed = seedOf(scheduleId, s);
  const times: number[] = [];
  let after = range.after;
  while (times.length < range.countMax) {
    const time = spec.nextTime(after, seed);
    if (!time || time.actual > range.end) break;
    times.push(time.actual);
    after = time.nominal;
  }
  return times;
}
