/**
 * Calendars written as text, and cron strings, to structured calendars and intervals (SC-5), in Temporal's words.
 * Of a field: `*`, `x`, `x-y`, each with `/step`, joined by commas; months and days of the week also by name.
 */
import type { temporal } from '@temporalio/proto';
import { durationOf } from '../time.ts';
import { yearMax, yearMin } from './calendar.ts';
import type { WireCalendar, WireRange } from './calendar.ts';

type TextCalendar = temporal.api.schedule.v1.ICalendarSpec;
type WireInterval = temporal.api.schedule.v1.IIntervalSpec;

export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august'].concat([
  'september',
  'october',
  'november',
  'december',
]);
const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

export const calendarFields = {
  second: { name: 'Second', min: 0, max: 59 },
  minute: { name: 'Minute', min: 0, max: 59 },
  hour: { name: 'Hour', min: 0, max: 23 },
  dayOfMonth: { name: 'DayOfMonth', min: 1, max: 31 },
  month: { name: 'Month', min: 1, max: 12, names: months },
  year: { name: 'Year', min: yearMin, max: yearMax },
  dayOfWeek: { name: 'DayOfWeek', min: 0, max: 7, names: days },
} as const satisfies Record<string, Field>;

export type CalendarField = keyof typeof calendarFields;

/** A field that is not given: 0, or all. */
const fieldDefaults: Readonly<Record<CalendarField, string>> = {
  second: '0',
  minute: '0',
  hour: '0',
  dayOfMonth: '*',
  month: '*',
  year: '*',
  dayOfWeek: '*',
};

/** @throws nothing; a problem is a value. */
export function parseCalendar(text: TextCalendar): Parsed<WireCalendar> {
  const calendar: WireCalendar = {};
  for (const name of Object.keys(calendarFields) as CalendarField[]) {
    const parsed = parseField(text[name] || fieldDefaults[name], calendarFields[name]);
    if (!parsed.ok) return parsed;
    calendar[name] = parsed.value;
  }
  if (text.comment) calendar.comment = text.comment;
  return { ok: true, value: calendar };
}

/** Whole years are said by an empty list, and Sunday is 0 whether 0 or 7 is written. */
function parseField(text: string, field: Field): Parsed<WireRange[]> {
  const ranges: WireRange[] = [];
  for (const part of text.split(',')) {
    const [span = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : wholeOf(stepText);
    if (more.length > 0 || !step) return bad(`${field.name} has an invalid step`);
    if (span === '*' && step === 1 && field.name === 'Year') return { ok: true, value: [] };
    const all = span === '*';
    const [low = '', high, ...rest] = all ? [] : span.split('-');
    const start = all ? field.min : valueOf(low, field);
    const highest = field.name === 'DayOfWeek' ? 6 : field.max;
    const end =
      high !== undefined
        ? valueOf(high, field)
        : all || stepText !== undefined
          ? Math.max(highest, start ?? 0)
          : start;
    if (rest.length > 0 || start === undefined || start < field.min || start > field.max) {
      return bad(`${field.name} is not in range [${field.min}-${field.max}]`);
    }
    if (end === undefined || end < start || end > field.max) {
      return bad(`${field.name} End is before Start or not in range [${field.min}-${field.max}]`);
    }
    if (field.name === 'DayOfWeek' && end === 7) {
      if ((7 - start) % step === 0 && start !== 0) ranges.unshift({ start: 0, end: 0, step: 1 });
      if (start < 7) ranges.push({ start, end: 6, step });
    } else {
      ranges.push({ start, end, step });
    }
  }
  return { ok: true, value: ranges };
}

function wholeOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function valueOf(text: string, { names, name }: Field): number | undefined {
  const number = wholeOf(text);
  if (number !== undefined || !names) return number;
  const word = text.toLowerCase();
  if (word.length < (name === 'DayOfWeek' ? 2 : 3)) return undefined;
  const index = names.findIndex((candidate) => candidate.startsWith(word));
  if (index < 0) return undefined;
  return name === 'Month' ? index + 1 : index;
}

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

export interface ParsedCron {
  readonly calendar?: WireCalendar;
  readonly interval?: WireInterval;
  /** '' when the string names none. */
  readonly timeZone: string;
}

const shorthands: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

export function parseCron(cron: string): Parsed<ParsedCron> {
  const [before = '', ...commented] = cron.split('#');
  const comment = commented.join('#').trim();
  let text = before.trim();
  const zone = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/.exec(text);
  const timeZone = zone?.[1] ?? '';
  text = zone?.[2]?.trim() ?? text;
  if (text.startsWith('@every')) {
    const interval = parseEvery(text.slice('@every'.length).trim());
    // Which no zone changes.
    return interval.ok ? { ok: true, value: { interval: interval.value, timeZone: '' } } : interval;
  }
  const fields = (shorthands.get(text) ?? text).split(/\s+/);
  if (fields.length < 5 || fields.length > 7) {
    return bad('CronString does not have 5-7 fields');
  }
  const [second, rest] = fields.length === 7 ? [fields[0], fields.slice(1)] : ['0', fields];
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = '*'] = rest;
  const calendar = parseCalendar({
    second: second ?? '0',
    minute,
    hour,
    dayOfMonth,
    month,
    dayOfWeek,
    year,
    comment,
  });
  return calendar.ok ? { ok: true, value: { calendar: calendar.value, timeZone } } : calendar;
}

function parseEvery(text: string): Parsed<WireInterval> {
  const [interval = '', phase, ...more] = text.split('/');
  const intervalMs = spanOf(interval);
  const phaseMs = phase === undefined ? 0 : spanOf(phase);
  if (more.length > 0 || intervalMs === undefined || phaseMs === undefined) {
    return bad(
      `invalid duration in "@every ${text}": write a whole number and a unit, such as @every 90s or @every 1h/5m`,
    );
  }
  return {
    ok: true,
    value: {
      interval: durationOf(intervalMs),
      ...(phase !== undefined && { phase: durationOf(phaseMs) }),
    },
  };
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `90s`, `1h30m`, `1d`. */
function spanOf(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:\.\d{1,9})?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    ms += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  return ms;
}
