/**
 * Retry policies and what they decide, for activities and for runs (AC-2, AC-6, AC-7, AC-8, CN-2).
 */
import type { google } from '@temporalio/proto';
import { RetryState, TimeoutType } from './proto.ts';
import type { Failure, WireRetryPolicy } from './proto.ts';
import type { RetryPolicy } from './state.ts';
import { durationOf, msOfDuration, spanMaxMs } from './time.ts';

/** Prefix of the type under which a policy may list a timeout as not retryable, e.g. `TemporalTimeout:StartToClose`. */
const timeoutTypePrefix = 'TemporalTimeout:';
const timeoutTypeNames: Readonly<Record<TimeoutType, string>> = {
  [TimeoutType.TIMEOUT_TYPE_UNSPECIFIED]: 'Unspecified',
  [TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE]: 'StartToClose',
  [TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START]: 'ScheduleToStart',
  [TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE]: 'ScheduleToClose',
  [TimeoutType.TIMEOUT_TYPE_HEARTBEAT]: 'Heartbeat',
};

export function timeoutTypeName(type: TimeoutType): string {
  return timeoutTypeNames[type];
}

/** Fills what is not set with the defaults of AC-2. */
export function retryPolicyFromWire(wire: WireRetryPolicy | null | undefined): RetryPolicy {
  const initialIntervalMs = msOfDuration(wire?.initialInterval) || 1_000;
  return {
    initialIntervalMs,
    maximumIntervalMs: msOfDuration(wire?.maximumInterval) || 100 * initialIntervalMs,
    backoffCoefficient: wire?.backoffCoefficient || 2,
    maximumAttempts: wire?.maximumAttempts ?? 0,
    nonRetryableErrorTypes: wire?.nonRetryableErrorTypes ?? [],
  };
}

export function retryPolicyToWire(policy: RetryPolicy): WireRetryPolicy {
  return {
    initialInterval: durationOf(policy.initialIntervalMs),
    maximumInterval: durationOf(policy.maximumIntervalMs),
    backoffCoefficient: policy.backoffCoefficient,
    maximumAttempts: policy.maximumAttempts,
    nonRetryableErrorTypes: [...policy.nonRetryableErrorTypes],
  };
}

/** The problem in Temporal's words, or undefined. */
export function validateRetryPolicy(policy: RetryPolicy): string | undefined {
  // One attempt means no retry: the rest does not matter.
  if (policy.maximumAttempts === 1) return undefined;
  if (policy.initialIntervalMs < 0)
    return 'invalid InitialInterval set on retry policy: negative duration';
  if (!(policy.backoffCoefficient >= 1))
    return 'BackoffCoefficient cannot be less than 1 on retry policy.';
  if (policy.maximumIntervalMs < 0)
    return 'invalid MaximumInterval set on retry policy: negative duration';
  if (policy.maximumIntervalMs < policy.initialIntervalMs) {
    return 'MaximumInterval cannot be less than InitialInterval on retry policy.';
  }
  if (policy.maximumAttempts < 0) return 'MaximumAttempts cannot be negative on retry policy.';
  for (const type of policy.nonRetryableErrorTypes) {
    if (!type.startsWith(timeoutTypePrefix)) continue;
    const name = type.slice(timeoutTypePrefix.length);
    if (name === 'Unspecified' || !Object.values(timeoutTypeNames).includes(name)) {
      return `Invalid timeout type value: ${name}.`;
    }
  }
  return undefined;
}

/** AC-8. */
export function isRetryableFailure(
  failure: Failure | null | undefined,
  nonRetryableErrorTypes: readonly string[],
): boolean {
  if (!failure) return true;
  if (failure.terminatedFailureInfo || failure.canceledFailureInfo) return false;
  if (failure.timeoutFailureInfo) {
    const type = failure.timeoutFailureInfo.timeoutType ?? TimeoutType.TIMEOUT_TYPE_UNSPECIFIED;
    if (
      type !== TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE &&
      type !== TimeoutType.TIMEOUT_TYPE_HEARTBEAT
    ) {
      return false;
    }
    return !nonRetryableErrorTypes.includes(timeoutTypePrefix + timeoutTypeNames[type]);
  }
  if (failure.serverFailureInfo) return !failure.serverFailureInfo.nonRetryable;
  if (failure.applicationFailureInfo) {
    const { nonRetryable, type } = failure.applicationFailureInfo;
    return !nonRetryable && !nonRetryableErrorTypes.includes(type ?? '');
  }
  return true;
}

export interface BackoffQuestion {
  readonly policy: RetryPolicy;
  /** The attempt that just failed, from 1. */
  readonly attempt: number;
  readonly now: number;
  /** No attempt may start after it; 0 = none. */
  readonly expirationTime: number;
  readonly failure: Failure | null | undefined;
  /** A run's retry keeps its maximum interval even when the failure names its own delay (AC-7 is for activities). */
  readonly delayCapped?: boolean;
}

export type BackoffAnswer = { readonly retryInMs: number } | { readonly retryState: RetryState };

/** AC-6's last three questions and AC-7. Those before them are about the activity, not the policy. */
export function nextBackoff(question: BackoffQuestion): BackoffAnswer {
  const { policy, attempt, now, expirationTime, failure } = question;
  if (!isRetryableFailure(failure, policy.nonRetryableErrorTypes)) {
    return { retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE };
  }
  if (policy.maximumAttempts > 0 && attempt >= policy.maximumAttempts) {
    return { retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED };
  }
  const delay = failure?.applicationFailureInfo?.nextRetryDelay;
  const wantedMs = delay ? ownDelayMs(delay, question) : policyDelayMs(policy, attempt);
  // As the other spans of the wire: a time beyond what the wire can say would never come.
  const retryInMs = Math.min(wantedMs, spanMaxMs);
  if (expirationTime > 0 && now + retryInMs > expirationTime) {
    return { retryState: RetryState.RETRY_STATE_TIMEOUT };
  }
  return { retryInMs };
}

function ownDelayMs(delay: google.protobuf.IDuration, question: BackoffQuestion): number {
  const delayMs = Math.max(0, msOfDuration(delay));
  return question.delayCapped ? Math.min(delayMs, question.policy.maximumIntervalMs) : delayMs;
}

/** A power that outgrows numbers is Infinity, which the maximum cuts. */
export function policyDelayMs(policy: RetryPolicy, attempt: number): number {
  const exponential =
    policy.initialIntervalMs * policy.backoffCoefficient ** (Math.max(1, attempt) - 1);
  return Math.min(exponential, policy.maximumIntervalMs);
}
