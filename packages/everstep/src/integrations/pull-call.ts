/** Calls of a puller into the user's code, and the waits between them. */
import type { Clock } from '../service/clock.ts';
import { EverstepError } from '../service/error-codes.ts';
import { spanText } from '../tasks/duration.ts';
import type { Backoff } from './puller-options.ts';

/**
 * What the user's function gives within that time. One that hangs is told by its signal and left behind: what it gives
 * later is dropped.
 *
 * @throws EverstepError PULL_TIMEOUT; the signal's reason when it was aborted; and what the function throws.
 */
export async function within<T>(
  clock: Clock,
  what: string,
  timeoutMs: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const given = new Promise<never>((_resolve, reject) => {
    own.signal.addEventListener('abort', () => reject(own.signal.reason as Error), { once: true });
  });
  given.catch(() => undefined);
  const stop = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const timer = clock.setTimer(timeoutMs, () => {
    own.abort(
      new EverstepError('PULL_TIMEOUT', `${what} has not answered within ${spanText(timeoutMs)}.`),
    );
  });
  try {
    const answer = (async () => call(own.signal))();
    answer.catch(() => undefined);
    return await Promise.race([answer, given]);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
}

/** Before the next try, after so many failures in a row. */
export function delayMs({ initialMs, maxMs, multiplier }: Backoff, failures: number): number {
  return Math.min(maxMs, initialMs * multiplier ** Math.max(0, failures - 1));
}

/** Over after that long, or when the signal is aborted. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const over = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = clock.setTimer(ms, over);
    signal.addEventListener('abort', over, { once: true });
  });
}
