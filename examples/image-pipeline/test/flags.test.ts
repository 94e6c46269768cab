import { expect, it } from 'vitest';
import { readFlags } from '../src/flags.ts';

it('submits 36 tasks with a seed drawn by chance, if not told otherwise', () => {
  expect(readFlags([], 7)).toEqual({ tasks: 36, seed: 7, json: false, help: false });
});

it('reads tasks, seed and json', () => {
  expect(readFlags(['--tasks', '40', '--seed=0', '--json'], 7)).toEqual({
    tasks: 40,
    seed: 0,
    json: true,
    help: false,
  });
});

it.each([
  ['--tasks', '5', 'from 6 to 1000'],
  ['--tasks', '1001', 'from 6 to 1000'],
  ['--tasks', 'many', 'but was given "many"'],
  ['--tasks', '1e2', 'but was given "1e2"'],
  ['--seed', '4294967296', 'from 0 to 4294967295'],
  ['--seed', '', 'but was given ""'],
])('refuses %s %j and names what it takes', (flag, value, words) => {
  expect(() => readFlags([flag, value], 7)).toThrow(`${flag} takes a whole number`);
  expect(() => readFlags([flag, value], 7)).toThrow(words);
});

it('refuses a flag that it does not know', () => {
  expect(() => readFlags(['--speed'], 7)).toThrow('--speed');
});
