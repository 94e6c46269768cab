import { expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

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
