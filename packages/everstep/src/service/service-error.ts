/**
 * Errors that cross the waist: a code from one table with its gRPC status and whether the caller may try again
 * (execution-core.md, section 15). Made from the core's refusals; turned into gRPC errors by connection.ts and
 * the gateway.
 */
import type { Refusal, RefusalCode, RefusalDetail } from '../core/refusal.ts';

/** gRPC status numbers: https://grpc.io/docs/guides/status-codes/ */
export const grpcStatus: Readonly<Record<RefusalCode, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
};

const retryable: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'ABORTED',
]);

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: RefusalCode;
  readonly detail: RefusalDetail | undefined;

  constructor(refusal: Refusal, options?: { readonly cause?: unknown }) {
    super(refusal.message, options);
    this.code = refusal.code;
    this.detail = refusal.detail;
  }

  get status(): number {
    return grpcStatus[this.code];
  }

  get retryable(): boolean {
    return retryable.has(this.code);
  }
}

/** A ServiceError with that code; for callers who branch on it. */
export function isServiceError(error: unknown, code?: RefusalCode): error is ServiceError {
  return error instanceof ServiceError && (code === undefined || error.code === code);
}

const stoppedMessage = 'The engine is stopped.';

/** What calls get that wait while the engine stops, and those that come after. */
export function engineStopped(cause?: unknown): ServiceError {
  return new ServiceError({ code: 'UNAVAILABLE', message: stoppedMessage }, { cause });
}

const storeFailedMessage = 'The store failed for good: ';

/** What every call gets from then on: no repetition helps, so the code is one that is not tried again. */
export function storeFailedForGood(failure: Error): ServiceError {
  const message = `${storeFailedMessage}${failure.message}`;
  return new ServiceError({ code: 'FAILED_PRECONDITION', message }, { cause: failure });
}

export function isStoreFailedForGood(error: unknown): error is ServiceError {
  return (
    isServiceError(error, 'FAILED_PRECONDITION') && error.message.startsWith(storeFailedMessage)
  );
}

export function isEngineStopped(error: unknown): boolean {
  return isServiceError(error, 'UNAVAILABLE') && error.message === stoppedMessage;
}
