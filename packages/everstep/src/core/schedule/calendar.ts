/**
 * Structured calendars (SC-5): a second of the clock matches when every one of its fields does. Times here are
 * local: milliseconds since the epoch as if the local clock were UTC. What a zone makes of that is for `nextMatch`,
 * which takes the clock literally: a time that a day does not have is skipped, one that it has twice comes twice.
 */
import type { temporal } from '@temporalio/proto';
import { zoneSpanMs } from './time-zone.ts';
import type { TimeZone } from './time-zone.ts';

export type WireCalendar = temporal.api.schedule.v1.IStructuredCalendarSpec;
export type WireRange = temporal.api.schedule.v1.IRange;

export const yearMin = 2000;
export const yearMax = 2100;
const dayMs = 86_400_000;

export interface Calendar {
  readonly seconds: readonly boolean[];
  readonly minutes: readonly boolean[];
  readonly hours: readonly boolean[];
  readonly daysOfMonth: readonly boolean[];
  readonly months: readonly boolean[];
  readonly daysOfWeek: readonly boolean[];
  /** Empty = every year. */
  readonly years: readonly WireRange[];
}

/** Of a calendar in the canonical form of schedule-spec.ts: every range has its end and its step. */
export function calendarOf(wire: WireCalendar): Calendar {
  return {
    seconds: fieldOf(wire.second, 59),
    minutes: fieldOf(wire.minute, 59),
    hours: fieldOf(wire.hour, 23),
    daysOfMonth: fieldOf(wire.dayOfMonth, 31),
    months: fieldOf(wire.month, 12),
    daysOfWeek: fieldOf(wire.dayOfWeek, 6),
    years: wire.year ?? [],
  };
}

function fieldOf(ranges: readonly WireRange[] | null | undefined, max: number): boolean[] {
  const field = Array.from({ length: max + 1 }, () => false);
  for (const range of ranges ?? []) {
    const { start, end, step } = boundsOf(range);
    for (let value = start; value <= Math.min(end, max); value += step) field[value] = true;
  }
  return field;
}

function boundsOf(range: WireRange): { start: number; end: number; step: number } {
  return { start: range.start ?? 0, end: range.end ?? 0, step: range.step || 1 };
}

function hasYear({ years }: Calendar, year: number): boolean {
  if (years.length === 0) return true;
  return years.some((range) => {
    const { start, end, step } = boundsOf(range);
    return year >= start && year <= end && (year - start) % step === 0;
  });
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Days since the epoch to a date, by the usual arithmetic over eras of 400 years that begin in March. */
function dateOf(dayNumber: number): Day {
  const shifted = dayNumber + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** RFC 3339 in UTC, cut to the second. */
export function isoSecondOf(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const dayNumber = Math.floor(seconds / 86_400);
  const second = seconds - dayNumber * 86_400;
  const { year, month, day } = dateOf(dayNumber);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${two(second / 3_600)}:${two((second / 60) % 60)}:${two(second % 60)}Z`;
}

function dayNumberOf(year: number, month: number, day: number): number {
  return Math.floor(Date.UTC(year, month - 1, day) / dayMs);
}

/** 1970-01-01 was a Thursday. */
function dayOfWeekOf(dayNumber: number): number {
  return (((dayNumber + 4) % 7) + 7) % 7;
}

/** The first match at or after a local time; undefined when there is none up to the year 2100. */
function nextLocal(calendar: Calendar, fromLocal: number): number | undefined {
  const from = Math.ceil(fromLocal / 1_000) * 1_000;
  let dayNumber = Math.floor(from / dayMs);
  let second = (from - dayNumber * dayMs) / 1_000;
  for (;;) {
    const { year, month, day } = dateOf(dayNumber);
    if (year > yearMax) return undefined;
    if (!hasYear(calendar, year)) {
      dayNumber = dayNumberOf(year + 1, 1, 1);
    } else if (!calendar.months[month]) {
      dayNumber = dayNumberOf(year, month + 1, 1);
    } else {
      if (calendar.daysOfMonth[day] && calendar.daysOfWeek[dayOfWeekOf(dayNumber)]) {
        const found = nextSecond(calendar, second);
        if (found !== undefined) return dayNumber * dayMs + found * 1_000;
      }
      dayNumber += 1;
    }
    second = 0;
  }
}

/** The first matching second of a day at or after that one. */
function nextSecond({ hours, minutes, seconds }: Calendar, from: number): number | undefined {
  let minute = Math.floor(from / 60) % 60;
  let second = from % 60;
  for (let hour = Math.floor(from / 3_600); hour < 24; hour += 1) {
    if (hours[hour]) {
      for (; minute < 60; minute += 1) {
        const found = minutes[minute] ? seconds.indexOf(true, second) : -1;
        if (found >= 0) return hour * 3_600 + minute * 60 + found;
        second = 0;
      }
    }
    minute = 0;
    second = 0;
  }
  return undefined;
}

/**
 * How long from that instant on every second of the zone's clock matches, as far as whole fields tell: a calendar
 * with all minutes and seconds matches to the end of the hour. Undefined when the instant itself does not match.
 */
export function matchesUntil(
  calendar: Calendar,
  zone: TimeZone,
  ms: number,
  local: number,
): number | undefined {
  if (nextLocal(calendar, local) !== local) return undefined;
  let unitMs = 1_000;
  if (calendar.seconds.every(Boolean)) {
    unitMs = 60_000;
    if (calendar.minutes.every(Boolean)) unitMs = calendar.hours.every(Boolean) ? dayMs : 3_600_000;
  }
  const until = ms + unitMs - (local % unitMs);
  return zone.changeWithin(ms, until) ?? until;
}

/** The first instant after that one at which the zone's clock shows a match. */
export function nextMatch(calendar: Calendar, zone: TimeZone, after: number): number | undefined {
  let from = Math.floor(after / 1_000) * 1_000 + 1_000;
  for (;;) {
    const offset = zone.offsetAt(from);
    const local = nextLocal(calendar, from + offset);
    if (local === undefined) return undefined;
    const found = local - offset;
    const change = zone.changeWithin(from, Math.min(found, from + zoneSpanMs));
    if (change !== undefined) from = change;
    else if (found - from <= zoneSpanMs) return found;
    // The clock shows no match far from either end, however often it is changed between them: changes move it by
    // less than the span, and the next match on the unmoved clock is this one.
    else from = found - zoneSpanMs;
  }
}
