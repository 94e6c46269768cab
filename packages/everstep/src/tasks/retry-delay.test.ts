import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { withUsableDelay } from './retry-delay.ts';

const failing = (nextRetryDelay: unknown) =>
  ApplicationFailure.create({
    message: '429',
    type: 'Busy',
    nonRetryable: false,
    details: ['kept'],
    cause: new TypeError('below'),
    nextRetryDelay: nextRetryDelay as number,
  });

it('keeps a delay that is a span of time', () => {
  for (const delay of [undefined, 0, 1, '90s', '10 years']) {
    const failure = failing(delay);
    expect(withUsableDelay(failure)).toBe(failure);
  }
});

it('leaves out a delay that is none, keeps the rest, and names the field', () => {
  for (const delay of [1e23, 1_795_285_557_000, -1, NaN, Infinity, 'soon', {}]) {
    const failure = failing(delay);
    const usable = withUsableDelay(failure);
    expect(usable.nextRetryDelay ?? undefined).toBeUndefined();
    expect(usable.message).toMatch(
      /^429 \(its nextRetryDelay is .*; expected 0 or more and at most 10 years, .*; the delay of the retry policy was taken\)$/,
    );
    expect(usable).toMatchObject({ type: 'Busy', nonRetryable: false, details: ['kept'] });
    expect(usable.cause).toBe(failure.cause);
    expect(usable.stack).toBe(failure.stack);
  }
});
