/** The command line of the benchmark. */
import { parseArgs } from 'node:util';
import type { StoreName } from './row.ts';

export interface Flags {
  readonly n: number;
  readonly only: RegExp | undefined;
  readonly store: StoreName | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run bench -- [options]

  --n N             how many one-step tasks, from 100 to 1000000 (10000); the other works follow it
  --only REGEX      only the works whose name fits, such as "one-step" or "sqlite .*two"
  --store STORE     only this store: memory, sqlite or postgres, which runs only when it is asked for
  --json            one JSON line a row instead of the table
  --help            show this text`;

const least = 100;
const most = 1_000_000;

/** @throws Error that names the flag, what it was given and what it takes. */
export function readFlags(words: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      n: { type: 'string', default: '10000' },
      only: { type: 'string' },
      store: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    n: wholeNumber(values.n),
    only: values.only === undefined ? undefined : pattern(values.only),
    store: values.store === undefined ? undefined : storeName(values.store),
    json: values.json,
    help: values.help,
  };
}

export function wholeNumber(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(
    `--n takes a whole number from ${least} to ${most}, but was given ${JSON.stringify(text)}`,
  );
}

function storeName(text: string): StoreName {
  if (text === 'memory' || text === 'sqlite' || text === 'postgres') return text;
  throw new Error(
    `--store takes memory, sqlite or postgres, but was given ${JSON.stringify(text)}`,
  );
}

export function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new Error(`--only takes a regular expression, but was given ${JSON.stringify(text)}`, {
      cause,
    });
  }
}
