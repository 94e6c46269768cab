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

it('refuses what is no text', () => {
  for (const [header, shown] of [
    [5, '5'],
    [['5'], 'an array'],
    [new Date(0), 'a Date'],
  ] as const) {
    expect(() => retryAfterMs(header as never, now)).toThrow(
      expect.objectContaining({
        code: 'RETRY_AFTER_INVALID',
        message: expect.stringContaining(`was given ${shown}; expected the text of`) as unknown,
      }) as Error,
    );
  }
});

it('takes no wait of more than ten years for one that a server meant', () => {
  const tenYears = 10 * 365.25 * 24 * 3600;
  expect(retryAfterMs(String(tenYears), now)).toBe(tenYears * 1000);
  for (const text of [
    String(tenYears + 1),
    String(now / 1000),
    '99999999999999999999',
    'Fri, 01 Jan 2300 00:00:00 GMT',
  ]) {
    expect(retryAfterMs(text, now)).toBeUndefined();
  }
});
