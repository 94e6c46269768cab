import { ApplicationFailure } from '@temporalio/common';
import { parseDuration } from './duration.ts';

/**
 * A `nextRetryDelay` that is no span of time here (a misread header, say) would be waited for all the same, for
 * decades. It is left out, so that the policy's delay holds, and the failure says so.
 */
export function withUsableDelay(failure: ApplicationFailure): ApplicationFailure {
  const { message, type, nonRetryable, nextRetryDelay, details, cause, category } = failure;
  if (nextRetryDelay === undefined || nextRetryDelay === null) return failure;
  const { problem } = parseDuration(nextRetryDelay, 0);
  if (problem === undefined) return failure;
  const usable = ApplicationFailure.create({
    message: `${message} (its nextRetryDelay ${problem}; the delay of the retry policy was taken)`,
    ...(type !== null && type !== undefined && { type }),
    ...(nonRetryable !== null && nonRetryable !== undefined && { nonRetryable }),
    ...(details !== null && details !== undefined && { details }),
    ...(cause !== undefined && { cause }),
    ...(category !== null && category !== undefined && { category }),
  });
  usable.stack = failure.stack ?? '';
  return usable;
}
