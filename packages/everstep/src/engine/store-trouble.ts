/** What whoever asks is told when the store could not: a code of the waist, and the store's own words. */
import { ServiceError } from '../service/service-error.ts';

/** Nothing was written: try again, but for a damaged row, which no repetition mends. */
export function serviceErrorOf(error: unknown): unknown {
  if (error instanceof ServiceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  switch ((error as { code?: unknown } | undefined)?.code) {
    case 'STORE_DISK_FULL':
      return new ServiceError(
        {
          code: 'RESOURCE_EXHAUSTED',
          message,
          detail: { kind: 'resourceExhausted', cause: 'persistenceLimit' },
        },
        options,
      );
    case 'STORE_TRANSACTION_INVALID':
      return new ServiceError({ code: 'INVALID_ARGUMENT', message }, options);
    case 'STORE_CORRUPT':
      return new ServiceError({ code: 'FAILED_PRECONDITION', message }, options);
    default:
      return new ServiceError({ code: 'UNAVAILABLE', message }, options);
  }
}
