/** Failures the server itself makes, shaped as Temporal's server makes them. */
import type { Failure, Payloads, TimeoutType } from './proto.ts';
import { failureBytes } from './payload-size.ts';

export function serverFailure(message: string, nonRetryable: boolean, cause?: Failure): Failure {
  return { message, serverFailureInfo: { nonRetryable }, ...(cause && { cause }) };
}

export interface TimeoutFailure {
  readonly message: string;
  readonly timeoutType: TimeoutType;
  readonly lastHeartbeatDetails?: Payloads | undefined;
  /** The failure of the attempt before, which is what really went wrong (AC-10). */
  readonly cause?: Failure | undefined;
}

export function timeoutFailure({
  message,
  timeoutType,
  lastHeartbeatDetails,
  cause,
}: TimeoutFailure): Failure {
  return {
    message,
    source: 'Server',
    timeoutFailureInfo: { timeoutType, ...(lastHeartbeatDetails && { lastHeartbeatDetails }) },
    ...(cause && { cause }),
  };
}

/**
 * The attempt's process died and the policy allows no other attempt (decision 11). An application failure, not a
 * server failure: its type survives every SDK's decoding, so that user code can tell it from a failure of its own.
 */
export function processLostFailure(activityType: string, processId: string): Failure {
  return {
    message: `The process ${processId} died while it ran activity ${activityType}; it is not run again because its retry policy allows one attempt.`,
    source: 'Server',
    applicationFailureInfo: { type: 'ProcessLost', nonRetryable: true },
  };
}

/** The last failure of an attempt that begins anew because its process died (decision 11). */
export function processDiedFailure(
  activityType: string,
  attempt: number,
  deaths: number,
  cause: Failure | undefined,
): Failure {
  const times = deaths === 1 ? '' : ` ${deaths} times`;
  return {
    message: `The process died${times} while it ran activity ${activityType}; attempt ${attempt} begins anew, and no retry is used up.`,
    source: 'Server',
    applicationFailureInfo: { type: 'ProcessLost' },
    ...(cause && { cause }),
  };
}

/** AC-12: a failure too large to be kept between attempts becomes a server failure with what fits of it as cause. */
export function cutFailure(failure: Failure, bytesMax: number): Failure {
  if (failureBytes(failure) <= bytesMax) return failure;
  return serverFailure('Failure exceeds size limit.', false, truncateFailure(failure, bytesMax));
}

const causesMax = 20;

/** Text is given out in order of importance until the bytes are used up; details, which may be large, go. */
export function truncateFailure(
  failure: Failure,
  bytesMax: number,
  causesLeft = causesMax,
): Failure {
  let left = bytesMax;
  const take = (text: string | null | undefined): string => {
    const taken = truncateUtf8(text ?? '', left);
    left -= taken.bytes + (taken.bytes > 0 ? 4 : 0);
    return taken.text;
  };
  const cut: Failure = {};
  if (failure.applicationFailureInfo) {
    const { nonRetryable, type } = failure.applicationFailureInfo;
    cut.applicationFailureInfo = { nonRetryable: nonRetryable ?? false, type: take(type) };
    left -= 8;
  } else if (failure.serverFailureInfo) {
    cut.serverFailureInfo = { nonRetryable: failure.serverFailureInfo.nonRetryable ?? false };
    left -= 4;
  }
  cut.source = take(failure.source);
  cut.message = take(failure.message);
  cut.stackTrace = take(failure.stackTrace);
  if (failure.cause && left > 4 && causesLeft > 0) {
    cut.cause = truncateFailure(failure.cause, left - 4, causesLeft - 1);
  }
  return cut;
}

function truncateUtf8(text: string, bytesMax: number): { text: string; bytes: number } {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes + size > bytesMax) break;
    bytes += size;
    end += character.length;
  }
  return { text: text.slice(0, end), bytes };
}
