import { expect, it } from 'vitest';
import { parseDuration, spanText } from './duration.ts';

it('takes milliseconds and strings with a unit', () => {
  const cases: [unknown, number][] = [
    [0, 0],
    [1500, 1500],
    ['90s', 90_000],
    ['30 minutes', 1_800_000],
    ['1h', 3_600_000],
    ['1.5 days', 129_600_000],
  ];
  for (const [value, ms] of cases) expect(parseDuration(value, 0)).toEqual({ ms });
});

it('says what was wrong and what is expected of everything else', () => {
  for (const value of [
    -1,
    NaN,
    Infinity,
    '',
    ' ',
    'soon',
    '-5s',
    '11 years',
    1e15,
    null,
    {},
    [5],
    true,
    '1 2 3',
    'x'.repeat(500),
  ]) {
    const { problem } = parseDuration(value, 0);
    expect(problem).toMatch(
      /^is .*; expected 0 or more and at most 10 years, in milliseconds or as a string such as '90s'$/,
    );
  }
  expect(parseDuration(0, 1).problem).toContain('expected more than 0');
});

it('writes a span in the largest unit that says it exactly', () => {
  const cases: [number, string][] = [
    [86_400_000, '1 day'],
    [7_200_000, '2 hours'],
    [1_800_000, '30 minutes'],
    [90_000, '90 seconds'],
    [1_500, '1500 ms'],
  ];
  for (const [ms, text] of cases) expect(spanText(ms)).toBe(text);
});
