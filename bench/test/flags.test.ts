import { expect, it } from 'vitest';
import { readFlags } from '../src/flags.ts';

it('measures everything with 10,000 tasks into a table, if not told otherwise', () => {
  expect(readFlags([])).toEqual({
    n: 10_000,
    only: undefined,
    store: undefined,
    json: false,
    help: false,
  });
});

it('reads every flag', () => {
  expect(readFlags(['--n=500', '--only', 'one-step', '--store', 'memory', '--json'])).toEqual({
    n: 500,
    only: /one-step/,
    store: 'memory',
    json: true,
    help: false,
  });
});

it.each([
  [['--n', '99'], '--n takes a whole number from 100 to 1000000, but was given "99"'],
  [['--n', '1e3'], 'but was given "1e3"'],
  [['--n', ''], 'but was given ""'],
  [['--store', 'redis'], '--store takes memory, sqlite or postgres, but was given "redis"'],
  [['--only', '('], '--only takes a regular expression, but was given "("'],
  [['--speed'], '--speed'],
  [['one-step'], 'one-step'],
])('refuses %j and says why', (words, message) => {
  expect(() => readFlags(words)).toThrow(message);
});
