import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const now = Date.UTC(2030, 0, 1, 0, 0, 0);

it('reads seconds', () => {
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs(' 0 ', now)).toBe(0);
});

it('reads an HTTP date, and one that has passed is now', () => {
  expect(retryAfterMs('Tue, 01 Jan 2030 00:01:30 GMT', now)).toBe(90_000);
  expect(retryAfterMs('Tue, 01 Jan 2019 00:01:30 GMT', now)).toBe(0);
});

it('takes nothing else for a time', () => {
  for (const text of [null, undefined, '', '-5', '1.5', 'soon', '12 apples', 'NaN']) {
    expect(retryAfterMs(text, now)).toBeUndefined();
  }
});
