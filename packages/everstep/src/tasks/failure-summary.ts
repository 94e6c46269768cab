/** A failure as plain data, for a status that is written as JSON; and the words that tell what went wrong. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  ServerFailure,
  TimeoutFailure,
} from '@temporalio/common';

/** A failure of Temporal's failure tree as plain data. */
export interface TaskFailure {
  /** `ApplicationFailure`, `ActivityFailure`, `TimeoutFailure`, `CancelledFailure`, `TerminatedFailure`, … */
  readonly name: string;
  readonly message: string;
  /** Of an ApplicationFailure: the name of the error that was thrown. */
  readonly type?: string;
  readonly nonRetryable?: boolean;
  readonly details?: readonly unknown[];
  /** Of an ActivityFailure: the key of the step that failed. */
  readonly step?: string;
  /** Of a TimeoutFailure: which timeout, such as `START_TO_CLOSE`. */
  readonly timeoutType?: string;
  readonly stack?: string;
  readonly cause?: TaskFailure;
}

const depthMax = 50;

export function failureSummary(error: unknown, depth = 0): TaskFailure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return {
    name: error.name,
    message: error.message,
    ...(error instanceof ApplicationFailure && {
      ...(typeof error.type === 'string' && { type: error.type }),
      ...(error.nonRetryable === true && { nonRetryable: true }),
    }),
    ...((error instanceof ApplicationFailure || error instanceof CancelledFailure) &&
      Array.isArray(error.details) &&
      error.details.length > 0 && { details: error.details }),
    ...(error instanceof ServerFailure && error.nonRetryable && { nonRetryable: true }),
    ...(error instanceof ActivityFailure &&
      error.activityId !== undefined && { step: error.activityId }),
    ...(error instanceof TimeoutFailure && { timeoutType: String(error.timeoutType) }),
    ...(error.stack !== undefined && error.stack !== '' && { stack: error.stack }),
    ...(error.cause !== undefined &&
      depth < depthMax && { cause: failureSummary(error.cause, depth + 1) }),
  };
}

/** The message that says it best: of the failure itself, below what only wraps it. */
export function failureMessage(error: unknown): string {
  let at = error;
  for (
    let depth = 0;
    depth < depthMax && (at instanceof ActivityFailure || at instanceof ChildWorkflowFailure);
    depth += 1
  ) {
    if (at.cause === undefined) break;
    at = at.cause;
  }
  return at instanceof Error ? at.message : String(at);
}
