/** The command line of the comparison. */
import { parseArgs } from 'node:util';
import { pattern, wholeNumber } from '../flags.ts';
import type { everstepOn } from './contenders.ts';

export interface PeerFlags {
  readonly n: number;
  readonly only: RegExp | undefined;
  /** Everstep's. */
  readonly store: keyof typeof everstepOn;
  readonly json: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run bench:peers -- [options]

  --n N         how many one-step tasks at most, from 100 to 1000000 (10000); the other works follow it
  --only REGEX  only the peers and works whose name fits, such as "DBOS" or "PostgreSQL one-step"; Everstep always runs
  --store STORE the store of Everstep: sqlite, which is the default, or postgres
  --json        one JSON line a row instead of the table
  --help        show this text`;

/** @throws Error that names the flag, what it was given and what it takes. */
export function readPeerFlags(words: readonly string[], n = 10_000): PeerFlags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      n: { type: 'string', default: String(n) },
      only: { type: 'string' },
      store: { type: 'string', default: 'sqlite' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    n: wholeNumber(values.n),
    only: values.only === undefined ? undefined : pattern(values.only),
    store: storeOf(values.store),
    json: values.json,
    help: values.help,
  };
}

function storeOf(text: string): PeerFlags['store'] {
  if (text === 'sqlite' || text === 'postgres') return text;
  throw new Error(`--store takes sqlite or postgres, but was given ${JSON.stringify(text)}`);
}
