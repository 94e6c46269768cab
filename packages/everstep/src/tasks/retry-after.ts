import { EverstepError } from '../service/error-codes.ts';
import { systemClock } from '../service/system-clock.ts';
import { durationMsMax, shown } from './duration.ts';

/**
 * A Retry-After header in milliseconds from `now`: whole seconds, or an HTTP date
 * (https://www.rfc-editor.org/rfc/rfc9110#name-retry-after). Undefined when there is none, it says neither, or
 * it says more than 10 years, as seconds since 1970 do; a date that has passed is 0.
 *
 * @throws EverstepError RETRY_AFTER_INVALID when it is no text.
 */
export function retryAfterMs(
  header: string | null | undefined,
  now: number = systemClock.now(),
): number | undefined {
  if (typeof header !== 'string' && header !== null && header !== undefined) {
    throw new EverstepError(
      'RETRY_AFTER_INVALID',
      `retryAfterMs() was given ${shown(header)}; expected the text of a Retry-After header, or null or undefined where there is none.`,
    );
  }
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
