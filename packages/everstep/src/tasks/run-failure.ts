/** Errors to failures and back, as a task's code and its steps throw and catch them. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TemporalFailure,
  type LoadedDataConverter,
} from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Timeouts } from './definition.ts';
import { shown, spanText } from './duration.ts';
import { msOfDuration } from './int64.ts';
import type { Entry, HistoryEvent } from './journal.ts';
import { isThrown } from './task-errors.ts';

type Failure = temporal.api.failure.v1.IFailure;

const { RetryState, EventType, TimeoutType } = proto.temporal.api.enums.v1;

const causesMax = 20;

/**
 * What was thrown, as a Temporal failure. The type is the error's `name`, or its class where the name says nothing:
 * `nonRetryable` lists these. What is no Error keeps what can be said of it.
 */
export function temporalFailure(thrown: unknown, depth = 0): TemporalFailure {
  if (thrown instanceof TemporalFailure) return thrown;
  if (!(thrown instanceof Error)) {
    return ApplicationFailure.create({
      message: `${described(thrown)} was thrown, which is no Error`,
      type: 'NonErrorThrown',
    });
  }
  const failure = ApplicationFailure.create({
    message: asText(thrown.message),
    type: typeOf(thrown),
    // A chain of causes may be a ring.
    ...(thrown.cause !== undefined &&
      depth < causesMax && { cause: temporalFailure(thrown.cause, depth + 1) }),
  });
  failure.stack = asText(thrown.stack ?? '');
  return failure;
}

/** The class may be lost with the prototype, and a name be anything. */
function typeOf(thrown: Error): string {
  const { name } = thrown;
  if (typeof name === 'string' && name !== 'Error' && name !== '') return name;
  const { name: className } = thrown.constructor as { readonly name?: unknown };
  return typeof className === 'string' && className !== '' ? className : 'Error';
}

/** What the types say is text may be anything on an error of the user's. */
function asText(value: unknown): string {
  return typeof value === 'string' ? value : described(value);
}

/**
 * What was thrown as the service takes it. That it cannot be serialised, or not even be read, must not keep it from
 * being a failure: else the run would wait for corrected code, where the code only failed.
 */
export function thrownFailure(
  thrown: unknown,
  { failureConverter, payloadConverter }: LoadedDataConverter,
  read: (thrown: unknown) => TemporalFailure = temporalFailure,
): Failure {
  try {
    const failure = failureConverter.errorToFailure(read(thrown), payloadConverter);
    checkTexts(failure);
    return fittingFailure(failure);
  } catch (cause) {
    return plainFailure(thrown, cause, read);
  }
}

/** A failure of the user's making may hold anything in its fields, which the service would refuse. */
function checkTexts({ message, stackTrace, applicationFailureInfo, cause }: Failure): void {
  const texts = { message, stack: stackTrace, type: applicationFailureInfo?.type };
  for (const [field, text] of Object.entries(texts)) {
    if (typeof (text ?? '') !== 'string') {
      throw new TypeError(`its ${field} is ${shown(text)}; expected a string`);
    }
  }
  if (cause) checkTexts(cause);
}

function plainFailure(
  thrown: unknown,
  cause: unknown,
  read: (thrown: unknown) => TemporalFailure,
): Failure {
  try {
    const message = `${thrown instanceof Error ? asText(thrown.message) : described(thrown)} (its details cannot be serialised: ${String(cause)})`;
    return fittingFailure({ message, applicationFailureInfo: { type: plainType(thrown, read) } });
  } catch {
    return { message: unreadableMessage, applicationFailureInfo: { type: 'NonErrorThrown' } };
  }
}

function plainType(thrown: unknown, read: (thrown: unknown) => TemporalFailure): string {
  try {
    const { type } = read(thrown) as { readonly type?: unknown };
    return typeof type === 'string' ? type : '';
  } catch {
    return '';
  }
}

const unreadableMessage = 'Something was thrown that cannot be read';

/** In words, whatever it is. */
export function thrownMessage(thrown: unknown): string {
  try {
    return thrown instanceof Error ? asText(thrown.message) : String(thrown);
  } catch {
    return unreadableMessage;
  }
}

/** What a failure may take of a history, all its causes together. */
const failureBytesMax = 1024 * 1024;
const cutTextMax = 4096;

/** The failure as the service takes it: of one that is too large the texts are cut and the details left out. */
function fittingFailure(failure: Failure): Failure {
  const { length } = proto.temporal.api.failure.v1.Failure.encode(failure).finish();
  return length <= failureBytesMax ? failure : cutFailure(failure, 0);
}

function cutFailure(failure: Failure, depth: number): Failure {
  const info = failure.applicationFailureInfo;
  return {
    message: cutText(failure.message),
    stackTrace: cutText(failure.stackTrace),
    source: failure.source ?? '',
    applicationFailureInfo: {
      type: cutText(info?.type),
      nonRetryable: info?.nonRetryable ?? false,
      nextRetryDelay: info?.nextRetryDelay ?? null,
    },
    ...(failure.cause && depth < causesMax && { cause: cutFailure(failure.cause, depth + 1) }),
  };
}

function cutText(text: string | null | undefined): string {
  const whole = text ?? '';
  return whole.length > cutTextMax ? `${whole.slice(0, cutTextMax)}…` : whole;
}

function described(thrown: unknown): string {
  try {
    const text = typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? shown(thrown));
    return text.length > 1000 ? `${text.slice(0, 1000)}…` : text;
  } catch {
    return `something of type ${typeof thrown}`;
  }
}

/** A cancel that came out of the code as it was thrown in, or as a step's or a child's. */
export function isCancelled(thrown: unknown): boolean {
  if (isThrown(thrown, CancelledFailure)) return true;
  return (
    (isThrown(thrown, ActivityFailure) || isThrown(thrown, ChildWorkflowFailure)) &&
    thrown.cause instanceof CancelledFailure
  );
}

/** With the span that was up and the option's name, as `failureMessage` finds them again. */
function timedOutAfter(failure: Failure | null | undefined, scheduled: Entry['scheduled']): string {
  const [option, span] = timeoutOption(failure?.timeoutFailureInfo?.timeoutType, scheduled);
  const ms = msOfDuration(span);
  return ms > 0 ? `timed out after ${spanText(ms)} (${option})` : 'timed out';
}

function timeoutOption(
  type: temporal.api.enums.v1.TimeoutType | null | undefined,
  scheduled: Entry['scheduled'],
): [option: keyof Timeouts | '', span: Parameters<typeof msOfDuration>[0]] {
  switch (type) {
    case TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE:
      return ['startToClose', scheduled?.startToCloseTimeout];
    case TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE:
      return ['scheduleToClose', scheduled?.scheduleToCloseTimeout];
    case TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START:
      return ['scheduleToStart', scheduled?.scheduleToStartTimeout];
    case TimeoutType.TIMEOUT_TYPE_HEARTBEAT:
      return ['heartbeat', scheduled?.heartbeatTimeout];
    default:
      return ['', undefined];
  }
}

/** The activity failure that stands for the event that closed a step without a result. */
export function stepFailure(
  event: HistoryEvent,
  { id: key, activityType, scheduled }: Entry,
): Failure {
  const failed = event.activityTaskFailedEventAttributes;
  const timedOut = event.activityTaskTimedOutEventAttributes;
  const canceled = event.activityTaskCanceledEventAttributes;
  const attributes = failed ?? timedOut ?? canceled;
  const verb =
    event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED
      ? 'failed'
      : event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT
        ? timedOutAfter(timedOut?.failure, scheduled)
        : 'was cancelled';
  return {
    message: `Step "${key}" ${verb}`,
    source: 'TypeScriptSDK',
    cause: canceled
      ? {
          message: 'The step was cancelled.',
          canceledFailureInfo: canceled.details ? { details: canceled.details } : {},
        }
      : ((failed ?? timedOut)?.failure ?? null),
    activityFailureInfo: {
      activityId: key,
      activityType: { name: activityType },
      scheduledEventId: attributes?.scheduledEventId ?? null,
      startedEventId: attributes?.startedEventId ?? null,
      identity: failed?.identity ?? canceled?.identity ?? '',
      retryState:
        (failed ?? timedOut)?.retryState ??
        (canceled ? RetryState.RETRY_STATE_CANCEL_REQUESTED : RetryState.RETRY_STATE_UNSPECIFIED),
    },
  };
}
