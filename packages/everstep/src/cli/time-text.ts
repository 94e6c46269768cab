/** Times as people read and write them. */
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../tasks/duration.ts';

/** `2026-05-01 08:00:00`, of this machine's zone. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${clockText(ms)}`;
}

/** `08:00:00` */
export function clockText(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((value) => String(value).padStart(2, '0'))
    .join(':');
}

const units: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** In the largest unit: `3 min`. */
export function spanShort(ms: number): string {
  for (const [unitMs, name] of units) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${name}`;
  }
  return `${Math.max(0, Math.round(ms))} ms`;
}

/** A time, or a span before now such as `2h`; epoch ms. */
export function pastTime(option: string, value: string, now: number): number {
  const span = parseDuration(/^\d+$/.test(value) ? undefined : value, 0);
  if (span.problem === undefined) return now - span.ms;
  const ms = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
  if (Number.isFinite(ms)) return ms;
  throw new InvalidArgumentError(
    `${option} is '${value}'; expected a time such as 2026-05-01T08:00 or 2026-05-01T08:00Z, or a span before now such as 2h.`,
  );
}
