/** Spans of time as users write them: milliseconds, or a string such as `'90s'`, `'30 minutes'`, `'1h'`. */
import { msToNumber } from '@temporalio/common/lib/time.js';

type Unit =
  | 'ms'
  | 'milliseconds'
  | 's'
  | 'sec'
  | 'seconds'
  | 'second'
  | 'm'
  | 'min'
  | 'minutes'
  | 'minute'
  | 'h'
  | 'hours'
  | 'hour'
  | 'd'
  | 'days'
  | 'day'
  | 'w'
  | 'weeks'
  | 'week'
  | 'y'
  | 'years'
  | 'year';

/** Milliseconds, or a number and its unit. */
export type Duration = number | `${number}${Unit}` | `${number} ${Unit}`;

/** Ten years, as '10 years' counts them: a longer span is a mistake of units. */
export const durationMsMax = 10 * 365.25 * 24 * 60 * 60_000;

export type ParsedDuration =
  | { readonly ms: number; readonly problem?: undefined }
  /** What was wrong and what is expected; to follow the field's name. */
  | { readonly problem: string };

export function parseDuration(value: unknown, leastMs: number): ParsedDuration {
  const expected = `expected ${leastMs > 0 ? 'more than 0' : '0 or more'} and at most 10 years, in milliseconds or as a string such as '90s'`;
  const ms = durationNumber(value);
  if (ms === undefined) return { problem: `is ${shown(value)}; ${expected}` };
  if (ms < leastMs || ms > durationMsMax) {
    return { problem: `is ${shown(value)}, which is out of range; ${expected}` };
  }
  return { ms };
}

function durationNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  try {
    const ms = msToNumber(value);
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}

const spans: readonly (readonly [ms: number, unit: string])[] = [
  [24 * 60 * 60_000, 'day'],
  [60 * 60_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
];

/** A span in the largest unit that says it exactly: `30 minutes`, `90 seconds`, `1500 ms`. */
export function spanText(ms: number): string {
  for (const [unitMs, unit] of spans) {
    const count = ms / unitMs;
    if (count >= 1 && Number.isInteger(count)) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return `${ms} ms`;
}

/** A value as it should stand in a message: short, and never a throw. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}
