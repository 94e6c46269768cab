/**
 * A schedule's spec (SC-4, SC-5): brought into the canonical form that DescribeSchedule shows, in which only
 * structured calendars and intervals are left, and asked for its times. A nominal time is what the spec says, the
 * actual time is that with jitter; both are pure functions of the spec and a seed.
 */
import type { temporal } from '@temporalio/proto';
import { msOfDuration, msOfTimestamp } from '../time.ts';
import { calendarOf, matchesUntil, nextMatch, yearMax } from './calendar.ts';
import type { Calendar, WireCalendar, WireRange } from './calendar.ts';
import { calendarFields, parseCalendar, parseCron } from './calendar-text.ts';
import type { CalendarField, Parsed } from './calendar-text.ts';
import { timeZoneOf } from './time-zone.ts';
import type { TimeZone } from './time-zone.ts';

export type WireSpec = temporal.api.schedule.v1.IScheduleSpec;
type WireInterval = temporal.api.schedule.v1.IIntervalSpec;

const lastMs = Date.UTC(yearMax, 11, 31, 23, 59, 59);

/** One spec may not cost more to ask than that many calendars and intervals. */
const partsMax = 200;

/** Refuses with what follows `Invalid schedule spec: `. */
export function canonicalSpec(spec: WireSpec): Parsed<WireSpec> {
  const structuredCalendar: WireCalendar[] = [];
  const interval: WireInterval[] = [];
  const excludeStructuredCalendar: WireCalendar[] = [];
  let timezoneName = spec.timezoneName ?? '';
  if (spec.timezoneData?.length) {
    return bad('timezone_data is not supported: name the zone in timezone_name');
  }
  const parts = [
    spec.structuredCalendar,
    spec.calendar,
    spec.cronString,
    spec.interval,
    spec.excludeCalendar,
    spec.excludeStructuredCalendar,
  ].reduce((sum, list) => sum + (list?.length ?? 0), 0);
  if (parts > partsMax) return bad(`${parts} calendars and intervals exceed the limit ${partsMax}`);
  for (const [list, texts, wires] of [
    [structuredCalendar, spec.calendar, spec.structuredCalendar],
    [excludeStructuredCalendar, spec.excludeCalendar, spec.excludeStructuredCalendar],
  ] as const) {
    for (const wire of wires ?? []) {
      const calendar = canonicalCalendar(wire);
      if (!calendar.ok) return calendar;
      list.push(calendar.value);
    }
    for (const text of texts ?? []) {
      const calendar = parseCalendar(text);
      if (!calendar.ok) return calendar;
      list.push(calendar.value);
    }
  }
  const written = spec.interval ? [...spec.interval] : [];
  let cronZone: string | undefined;
  for (const cron of spec.cronString ?? []) {
    const parsed = parseCron(cron);
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    cronZone ??= value.timeZone;
    if (cronZone !== value.timeZone) {
      return bad('CronString contains a time zone that differs from that of another, or lacks it');
    }
    if (value.calendar) structuredCalendar.push(value.calendar);
    if (value.interval) written.push(value.interval);
  }
  if (cronZone) {
    if (timezoneName !== '' && timezoneName !== cronZone) {
      return bad('CronString contains a time zone that differs from timezone_name');
    }
    timezoneName = cronZone;
  }
  for (const one of written) {
    const problem = intervalProblem(one);
    if (problem) return bad(problem);
    interval.push(one);
  }
  if (!timeZoneOf(timezoneName)) return bad(`unknown time zone ${timezoneName}`);
  if (msOfDuration(spec.jitter) < 0) return bad('jitter is negative');
  return {
    ok: true,
    value: {
      ...(structuredCalendar.length > 0 && { structuredCalendar }),
      ...(interval.length > 0 && { interval }),
      ...(excludeStructuredCalendar.length > 0 && { excludeStructuredCalendar }),
      ...(spec.startTime && { startTime: spec.startTime }),
      ...(spec.endTime && { endTime: spec.endTime }),
      ...(spec.jitter && { jitter: spec.jitter }),
      ...(timezoneName !== '' && { timezoneName }),
    },
  };
}

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

function intervalProblem({ interval, phase }: WireInterval): string | undefined {
  const intervalMs = msOfDuration(interval);
  const phaseMs = msOfDuration(phase);
  if (intervalMs < 1_000) return 'interval is too small';
  if (phaseMs < 0) return 'phase is negative';
  return phaseMs >= intervalMs ? 'phase cannot be greater than Interval' : undefined;
}

/** Ranges with their end and step. A field that is left out, but for the year, matches nothing. */
function canonicalCalendar(wire: WireCalendar): Parsed<WireCalendar> {
  const calendar: WireCalendar = {};
  for (const name of Object.keys(calendarFields) as CalendarField[]) {
    const ranges = wire[name];
    if (!ranges) continue;
    const { min, name: title } = calendarFields[name];
    const max = name === 'dayOfWeek' ? 6 : calendarFields[name].max;
    const canonical: WireRange[] = [];
    for (const { start: given, end: last, step } of ranges) {
      const start = given ?? 0;
      const end = last || start;
      if (start < min || start > max) return bad(`${title} is not in range [${min}-${max}]`);
      if (end < start || end > max) {
        return bad(`${title} End is before Start or not in range [${min}-${max}]`);
      }
      if ((step ?? 0) < 0) return bad(`${title} has invalid Step`);
      canonical.push({ start, end, step: step || 1 });
    }
    calendar[name] = canonical;
  }
  if (wire.comment) calendar.comment = wire.comment;
  return { ok: true, value: calendar };
}

export interface ScheduleTime {
  /** As the spec says it: what names the started workflow. */
  readonly nominal: number;
  /** With jitter: when it is done. Before the next nominal time. */
  readonly actual: number;
}

export interface CompiledSpec {
  /** The first time of the spec whose nominal time is after that instant. */
  nextTime(after: number, seed: string): ScheduleTime | undefined;
}

const compiled = new WeakMap<WireSpec, CompiledSpec>();

/** Of a canonical spec; the same object is compiled once. */
export function compileSpec(spec: WireSpec): CompiledSpec {
  let known = compiled.get(spec);
  if (!known) {
    known = compile(spec);
    compiled.set(spec, known);
  }
  return known;
}

function compile(spec: WireSpec): CompiledSpec {
  const zone = timeZoneOf(spec.timezoneName ?? '') as TimeZone;
  const calendars = (spec.structuredCalendar ?? []).map((wire) =>
    matchesOf(calendarOf(wire), zone),
  );
  const excludes = (spec.excludeStructuredCalendar ?? []).map(calendarOf);
  const intervals = (spec.interval ?? []).map(({ interval, phase }) => ({
    intervalMs: msOfDuration(interval),
    phaseMs: msOfDuration(phase),
  }));
  const start = spec.startTime ? msOfTimestamp(spec.startTime) : -Infinity;
  const end = Math.min(spec.endTime ? msOfTimestamp(spec.endTime) : lastMs, lastMs);
  const jitterMs = msOfDuration(spec.jitter);

  const raw = (after: number): number | undefined => {
    let next = Infinity;
    for (const nextOf of calendars) next = Math.min(next, nextOf(after));
    for (const { intervalMs, phaseMs } of intervals) {
      next = Math.min(
        next,
        (Math.floor((after - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs,
      );
    }
    return next === Infinity ? undefined : next;
  };
  /** Up to when every time from that one on is excluded; undefined when it is not. */
  const excludedUntil = (time: number): number | undefined => {
    if (excludes.length === 0 || time % 1_000 !== 0) return undefined;
    const local = time + zone.offsetAt(time);
    for (const calendar of excludes) {
      const until = matchesUntil(calendar, zone, time, local);
      if (until !== undefined) return until;
    }
    return undefined;
  };
  /** The first time after that one that is not excluded. */
  const next = (after: number): number | undefined => {
    let time = raw(after);
    for (let tries = 0; tries < triesMax; tries += 1) {
      if (time === undefined || time > end) return undefined;
      const until = excludedUntil(time);
      if (until === undefined) return time;
      time = raw(until - 1);
    }
    return undefined;
  };

  return {
    nextTime(after, seed) {
      const nominal = next(after < start ? start - 1 : after);
      if (nominal === undefined) return undefined;
      if (jitterMs === 0) return { nominal, actual: nominal };
      const following = raw(nominal) ?? Infinity;
      const span = Math.min(jitterMs, following - nominal);
      return { nominal, actual: nominal + Math.floor(fractionOf(`${seed}:${nominal}`) * span) };
    },
  };
}

/**
 * A spec that excludes so many of its times in a row is taken to have none left. Excluded hours and days count as one.
 */
const triesMax = 5_000;

/** Asks a calendar, and knows the last answer: most questions come between two matches. Infinity = none. */
function matchesOf(calendar: Calendar, zone: TimeZone): (after: number) => number {
  let asked = Infinity;
  let found = -Infinity;
  return (after) => {
    if (after < asked || after >= found) {
      asked = after;
      found = nextMatch(calendar, zone, after) ?? Infinity;
    }
    return found;
  };
}

/** SC-4: in [0, 1), always the same for the same text (FNV-1a, mixed once more so that near texts differ widely). */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
