import { systemClock } from '../service/system-clock.ts';
import { durationMsMax } from './duration.ts';

/**
 * A Retry-After header in milliseconds from `now`: whole seconds, or an HTTP date
 * (https://www.rfc-editor.org/rfc/rfc9110#name-retry-after). Undefined when there is none, it says neither, or
 * it says more than 10 years, as seconds since 1970 do; a date that has passed is 0.
 */
export function retryAfterMs(
  header: string | null | undefined,
  now: number = systemClock.now(),
): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return waitable(Number(text) * 1000);
  // Dates of RFC 9110 begin with a weekday; Date.parse alone would take `-5` or `1.5`.
  if (!/^[A-Za-z]{3}/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : waitable(Math.max(0, at - now));
}

function waitable(ms: number): number | undefined {
  return ms <= durationMsMax ? ms : undefined;
}
