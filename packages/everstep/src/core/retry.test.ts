import Long from 'long';
import { describe, expect, test } from 'vitest';
import { RetryState, TimeoutType } from './proto.ts';
import type { Failure } from './proto.ts';
import {
  isRetryableFailure,
  nextBackoff,
  retryPolicyFromWire,
  retryPolicyToWire,
  validateRetryPolicy,
} from './retry.ts';
import { durationOf, spanMaxMs } from './time.ts';

const policy = retryPolicyFromWire(undefined);
const ask = (changes: Partial<Parameters<typeof nextBackoff>[0]>) =>
  nextBackoff({
    policy,
    attempt: 1,
    now: 1_000,
    expirationTime: 0,
    failure: undefined,
    ...changes,
  });
const timeout = (timeoutType: TimeoutType): Failure => ({ timeoutFailureInfo: { timeoutType } });

describe('retry', () => {
  test('an absent policy is one second, doubled, up to a hundred times, without limit of attempts AC-2', () => {
    expect(policy).toEqual({
      initialIntervalMs: 1_000,
      maximumIntervalMs: 100_000,
      backoffCoefficient: 2,
      maximumAttempts: 0,
      nonRetryableErrorTypes: [],
    });
    expect(retryPolicyFromWire({ initialInterval: durationOf(3_000) }).maximumIntervalMs).toBe(
      300_000,
    );
    expect(retryPolicyFromWire(retryPolicyToWire(policy))).toEqual(policy);
  });

  test('a policy is refused in the words of Temporal AC-2', () => {
    const of = (wire: Parameters<typeof retryPolicyFromWire>[0]) =>
      validateRetryPolicy(retryPolicyFromWire(wire));
    expect(of({ backoffCoefficient: 0.5 })).toBe(
      'BackoffCoefficient cannot be less than 1 on retry policy.',
    );
    expect(of({ maximumAttempts: -1 })).toBe('MaximumAttempts cannot be negative on retry policy.');
    expect(of({ initialInterval: durationOf(-1) })).toContain('invalid InitialInterval');
    expect(of({ maximumInterval: durationOf(500) })).toContain('MaximumInterval cannot be less');
    expect(of({ nonRetryableErrorTypes: ['TemporalTimeout:Never'] })).toBe(
      'Invalid timeout type value: Never.',
    );
    expect(of({ nonRetryableErrorTypes: ['TemporalTimeout:Heartbeat', 'Mine'] })).toBeUndefined();
    expect(of({ backoffCoefficient: 0.5, maximumAttempts: 1 })).toBeUndefined();
  });

  test('the backoff grows by the coefficient from the attempt that failed, up to the maximum AC-7', () => {
    const backoffs = [1, 2, 3, 7, 8, 5_000].map((attempt) => ask({ attempt }));
    expect(backoffs).toEqual(
      [1_000, 2_000, 4_000, 64_000, 100_000, 100_000].map((retryInMs) => ({ retryInMs })),
    );
  });

  test('a delay of the failure replaces the backoff and ignores the maximum, except for runs AC-7', () => {
    const failure: Failure = { applicationFailureInfo: { nextRetryDelay: durationOf(500_000) } };
    expect(ask({ failure })).toEqual({ retryInMs: 500_000 });
    expect(ask({ failure, delayCapped: true })).toEqual({ retryInMs: 100_000 });
    expect(ask({ failure: { applicationFailureInfo: { nextRetryDelay: durationOf(0) } } })).toEqual(
      { retryInMs: 0 },
    );
  });

  test('a delay beyond a hundred years is cut to them, and a negative one is none AC-7', () => {
    for (const seconds of [Long.MAX_VALUE, Long.fromNumber(1e12)]) {
      const failure: Failure = { applicationFailureInfo: { nextRetryDelay: { seconds } } };
      expect(ask({ failure })).toEqual({ retryInMs: spanMaxMs });
    }
    const long = { ...policy, initialIntervalMs: 1e21, maximumIntervalMs: 1e23 };
    expect(ask({ policy: long })).toEqual({ retryInMs: spanMaxMs });
    const negative = { applicationFailureInfo: { nextRetryDelay: durationOf(-5_000) } };
    expect(ask({ failure: negative })).toEqual({ retryInMs: 0 });
  });

  test('a retry that would start after the deadline is a timeout AC-7', () => {
    expect(ask({ expirationTime: 1_999 })).toEqual({ retryState: RetryState.RETRY_STATE_TIMEOUT });
    expect(ask({ expirationTime: 2_000 })).toEqual({ retryInMs: 1_000 });
  });

  test('a failure that may not be retried comes before used up attempts, and those before the deadline AC-6', () => {
    const once = { ...policy, maximumAttempts: 1 };
    const failure: Failure = { applicationFailureInfo: { nonRetryable: true } };
    expect(ask({ policy: once, failure, expirationTime: 1 })).toEqual({
      retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    });
    expect(ask({ policy: once, expirationTime: 1 })).toEqual({
      retryState: RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
    });
  });

  test('which failures are retried AC-8', () => {
    expect(isRetryableFailure(undefined, [])).toBe(true);
    expect(isRetryableFailure({ message: 'unknown kind' }, [])).toBe(true);
    expect(isRetryableFailure({ canceledFailureInfo: {} }, [])).toBe(false);
    expect(isRetryableFailure({ terminatedFailureInfo: {} }, [])).toBe(false);
    expect(isRetryableFailure({ serverFailureInfo: { nonRetryable: true } }, [])).toBe(false);
    expect(isRetryableFailure({ serverFailureInfo: {} }, [])).toBe(true);
    expect(isRetryableFailure({ applicationFailureInfo: { type: 'Mine' } }, ['Mine'])).toBe(false);
    expect(isRetryableFailure({ applicationFailureInfo: { type: 'Mine' } }, ['Other'])).toBe(true);
  });

  test('of timeouts only start-to-close and heartbeat are retried, unless listed AC-8', () => {
    const { TIMEOUT_TYPE_START_TO_CLOSE, TIMEOUT_TYPE_HEARTBEAT } = TimeoutType;
    expect(isRetryableFailure(timeout(TIMEOUT_TYPE_START_TO_CLOSE), [])).toBe(true);
    expect(isRetryableFailure(timeout(TIMEOUT_TYPE_HEARTBEAT), [])).toBe(true);
    expect(isRetryableFailure(timeout(TIMEOUT_TYPE_HEARTBEAT), ['TemporalTimeout:Heartbeat'])).toBe(
      false,
    );
    expect(isRetryableFailure(timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_START), [])).toBe(false);
    expect(isRetryableFailure(timeout(TimeoutType.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE), [])).toBe(false);
  });
});
