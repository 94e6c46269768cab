/** The demo's command line. */
import { parseArgs } from 'node:util';

export interface Flags {
  readonly tasks: number;
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run demo -- [options]

  --tasks N   how many tasks to submit, from 6 to 1000 (36)
  --seed N    repeats the same order, failures and moments of the kills (drawn by chance)
  --json      print one JSON line at the end, and nothing else on stdout
  --help      show this text`;

/** @throws Error that names the flag, what it was given and what it takes. */
export function readFlags(words: readonly string[], drawnSeed: number): Flags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      tasks: { type: 'string', default: '36' },
      seed: { type: 'string', default: String(drawnSeed) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    tasks: wholeNumber('--tasks', values.tasks, 6, 1000),
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1),
    json: values.json,
    help: values.help,
  };
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`${flag} takes a whole number from ${least} to ${most}, but was given "${text}"`);
}
