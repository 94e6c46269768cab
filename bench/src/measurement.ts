/** What is measured: a work on a store, with client and worker in one process or in two. */
import type { StoreName } from './row.ts';

const workNames = [
  'SQLite alone',
  'PostgreSQL alone',
  'write path',
  'one-step',
  'five-step',
  'one after another',
  'backlog',
  'resumed after a kill',
  'idle',
  'crowded',
] as const;

export type WorkName = (typeof workNames)[number];

/** Of one store, and of one process: not Everstep's work but its ground, and what of it Everstep's writes reach. */
const onlyOf: Partial<Readonly<Record<WorkName, StoreName>>> = {
  'SQLite alone': 'sqlite',
  'PostgreSQL alone': 'postgres',
  'write path': 'postgres',
};

/** With how many processes a work is measured. */
const processesOf = { sqlite: [1, 2], memory: [1], postgres: [1, 2, 4] } as const;
/** What is measured with several processes that are alike: each submits and works. */
const alikeWorks: readonly WorkName[] = ['one-step', 'five-step', 'idle'];

export interface Measurement {
  readonly store: StoreName;
  readonly processes: 1 | 2 | 4;
  readonly work: WorkName;
  readonly n: number;
}

/** On SQLite the second process is the worker; on a database any number are alike. */
export function titleOf({ store, work, processes }: Omit<Measurement, 'n'>): string {
  if (processes === 1) return work;
  return store === 'postgres' ? `${work}, ${processes} alike` : `${work}, two processes`;
}

/** How much of each work there is for `n` one-step tasks: 10,000 of them give a backlog of 100,000. */
const amountOf: Readonly<Record<WorkName, (n: number) => number>> = {
  'SQLite alone': (n) => 5 * n,
  'PostgreSQL alone': (n) => 5 * n,
  'write path': (n) => 5 * n,
  'one-step': (n) => n,
  'five-step': (n) => Math.ceil(n / 5),
  'one after another': (n) => Math.ceil(n / 5),
  backlog: (n) => n * 10,
  'resumed after a kill': (n) => Math.ceil(n / 10),
  idle: () => 10,
  crowded: (n) => n,
};

/** They take so long that they are run only when they are asked for by name. */
const onRequest: ReadonlySet<WorkName> = new Set<WorkName>(['crowded']);

/** All that there is to measure, in the order of the table. */
export function measurements(n: number): Measurement[] {
  const all: Measurement[] = [];
  for (const store of ['sqlite', 'memory', 'postgres'] as const) {
    for (const work of workNames) {
      if ((onlyOf[work] ?? store) !== store) continue;
      if (store === 'memory' && work === 'resumed after a kill') continue;
      for (const processes of processesOf[store]) {
        if (processes > 1 && (onRequest.has(work) || onlyOf[work] !== undefined)) continue;
        if (processes > 1 && store === 'postgres' && !alikeWorks.includes(work)) continue;
        all.push({ store, processes, work, n: amountOf[work](n) });
      }
    }
  }
  return all;
}

export interface Choice {
  readonly only?: RegExp | undefined;
  readonly store?: StoreName | undefined;
}

export function isChosen(measurement: Measurement, { only, store }: Choice): boolean {
  // A server has to be started for it.
  if (store === undefined && measurement.store === 'postgres') return false;
  if (store !== undefined && measurement.store !== store) return false;
  if (onRequest.has(measurement.work) && !only?.source.includes(measurement.work)) return false;
  return only === undefined || only.test(`${measurement.store} ${titleOf(measurement)}`);
}
