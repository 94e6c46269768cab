/** What is measured: a work on a store, with client and worker in one process or in two. */
import type { StoreName } from './row.ts';

const workNames = [
  'SQLite alone',
  'one-step',
  'five-step',
  'one after another',
  'backlog',
  'resumed after a kill',
  'idle',
  'crowded',
] as const;

export type WorkName = (typeof workNames)[number];

/** Not Everstep's work but its ground, and one process's. */
const yardstick = 'SQLite alone' satisfies WorkName;

export interface Measurement {
  readonly store: StoreName;
  readonly processes: 1 | 2;
  readonly work: WorkName;
  readonly n: number;
}

/** As the row names it, without the store. */
export function titleOf({ work, processes }: Pick<Measurement, 'work' | 'processes'>): string {
  return processes === 1 ? work : `${work}, two processes`;
}

/** How much of each work there is for `n` one-step tasks: 10,000 of them give a backlog of 100,000. */
const amountOf: Readonly<Record<WorkName, (n: number) => number>> = {
  'SQLite alone': (n) => 5 * n,
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
  for (const store of ['sqlite', 'memory'] as const) {
    for (const work of workNames) {
      for (const processes of [1, 2] as const) {
        if (store === 'memory' && (processes === 2 || !isForMemory(work))) continue;
        if (processes === 2 && (onRequest.has(work) || work === yardstick)) continue;
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
  if (store !== undefined && measurement.store !== store) return false;
  if (onRequest.has(measurement.work) && !only?.source.includes(measurement.work)) return false;
  return only === undefined || only.test(`${measurement.store} ${titleOf(measurement)}`);
}

/** A store in memory has nothing left to resume. */
function isForMemory(work: WorkName): boolean {
  return work !== 'resumed after a kill' && work !== yardstick;
}
