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
/** What the engine, and a Temporal server, say of a step's timeout. */
const engineWords = /^activity \w+ timeout$|^Not enough time to schedule next retry/;

/** What the engine says of an attempt that begins anew because its process died. */
const ranActivity = /ran activity .*(?=; attempt \d+ begins anew)/s;

/** What run-failure.ts says of a step's timeout whose span it knows. */
const after = /timed out after .* \(\w+\)$/;

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

/**
 * The message that says it best: of the failure itself, below what only wraps it. `step` is the key of the step it
 * comes from, where the failure does not say.
 */
export function failureMessage(error: unknown, step?: string): string {
  let at = error;
  let key = step;
  let timedOut = '';
  for (
    let depth = 0;
    depth < depthMax && (at instanceof ActivityFailure || at instanceof ChildWorkflowFailure);
    depth += 1
  ) {
    if (at.cause === undefined) break;
    if (at instanceof ActivityFailure) {
      key = at.activityId;
      timedOut = after.exec(at.message)?.[0] ?? '';
    }
    at = at.cause;
  }
  // What follows `#` is ours, but for the number of a repeat.
  const shown = key?.replace(/#(?!\d+(?:#|$)).*$/, '') ?? '';
  const name = shown === '' ? 'The step' : `Step "${shown}"`;
  if (at instanceof TimeoutFailure && engineWords.test(at.message)) {
    return timeoutMessage(name, at, timedOut);
  }
  if (at instanceof ApplicationFailure && at.type === 'ProcessLost') {
    if (at.nonRetryable !== true) {
      const step = shown === '' ? 'the step' : `step "${shown}"`;
      return at.message.replace(ranActivity, `ran ${step}`);
    }
    return `${name} was running when its process died. It may have had its effect, and is not run again because its policy allows one attempt.`;
  }
  return at instanceof Error ? at.message : String(at);
}

function timeoutMessage(
  name: string,
  { timeoutType, message, cause }: TimeoutFailure,
  timedOut: string,
): string {
  const last = cause === undefined ? '' : ` The last attempt: ${failureMessage(cause)}`;
  if (timedOut !== '') {
    const orSoon =
      timeoutType === 'SCHEDULE_TO_CLOSE' ? ', or had no time left for another attempt' : '';
    return `${name} ${timedOut}${orSoon}.${last}`;
  }
  switch (timeoutType) {
    case 'START_TO_CLOSE':
      return `${name} took longer than its startToClose timeout allows for an attempt.${last}`;
    case 'SCHEDULE_TO_CLOSE':
      return `${name} did not complete within its scheduleToClose timeout, or had no time left for another attempt.${last}`;
    case 'SCHEDULE_TO_START':
      return `${name} was not taken by a worker within its scheduleToStart timeout.${last}`;
    case 'HEARTBEAT':
      return `${name} gave no heartbeat within its heartbeat timeout.${last}`;
    default:
      return message;
  }
}
