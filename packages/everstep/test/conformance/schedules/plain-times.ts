/** Points in time as text, where they are what is compared; those of the running script are all called now. */
import type { Plain } from '../scripts/target.ts';

const recentMs = 3_600_000;

export function textOfTime(time: Plain): string {
  const ms = Number(time['seconds'] ?? 0) * 1_000 + Number(time['nanos'] ?? 0) / 1e6;
  return isRecent(ms) ? '<now>' : new Date(ms).toISOString();
}

/** Of the last hour, and not to come. */
export function isRecent(ms: number): boolean {
  const age = Date.now() - ms;
  return age >= 0 && age < recentMs;
}

/** The same value with its times as texts. Durations stay: no field of theirs is called a time. */
export function withTextTimes(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withTextTimes(item, key));
  if (typeof value !== 'object' || value === null) return value;
  if (/times?$/i.test(key) && 'seconds' in value) return textOfTime(value as Plain);
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, withTextTimes(field, name)]),
  );
}
