/**
 * Where processes are killed, by name, what else befalls a database, and the traps that kill them there. A trap stands at a place that the
 * process passes (crash-driver.ts, crash-store.ts); it lets some passings go by and then sends SIGKILL.
 */
import type { Chance } from '../chance.ts';

export const killpoints = [
  'before-begin',
  'inside-transaction',
  'mid-statement',
  'before-commit',
  'after-commit',
  'after-reply',
  'during-recovery',
  'during-migration',
  'during-second-migration',
  'during-checkpoint',
  'random',
] as const;

/** What befalls the database while processes work on it; nobody is killed. */
export const databaseFaults = [
  'server-stopped',
  'server-away',
  'backends-terminated',
  'deadlock',
  'lock-timeout',
  'answer-lost',
] as const;
export type DatabaseFault = (typeof databaseFaults)[number];

export const failpoints = [...killpoints, ...databaseFaults] as const;
export type Failpoint = (typeof failpoints)[number];

export function isDatabaseFault(failpoint: Failpoint): failpoint is DatabaseFault {
  return (databaseFaults as readonly Failpoint[]).includes(failpoint);
}

/** In the order in which a process that opens a new file passes them. */
export const migrationPlaces = [
  'migration:before-sql',
  'migration:inside-sql',
  'migration:after-sql',
  'migration:before-commit',
  'migration:after-commit',
  'migration:before-wal',
  'migration:after-wal',
  'migration:wal-grown',
] as const;

/** Of a file alone; a server has a log of its own. */
export function isOfWal(place: Place): boolean {
  return place.endsWith('wal') || place === 'migration:wal-grown';
}

/** What a process passes while it ends what a dead one had started, and drives its runs again. */
const recoveryPlaces = [
  'recovery:held-known',
  'recovery:claims-released',
  'recovery:in-transaction',
  'recovery:before-commit',
  'recovery:after-commit',
  'recovery:before-remove',
  'recovery:after-remove',
  'recovery:driven-again',
] as const;

export type Place =
  | 'before-begin'
  | 'in-transaction'
  | 'mid-statement'
  | 'before-commit'
  | 'after-commit'
  | 'after-reply'
  | 'checkpoint'
  | (typeof migrationPlaces)[number]
  | (typeof recoveryPlaces)[number];

export interface Trap {
  readonly place: Place;
  /** How often the place is passed unharmed. */
  readonly skip: number;
  /** From 0 to 1: what else is left to chance, such as how far a checkpoint gets. */
  readonly chance: number;
}

/** Kills this process; nothing after it runs. */
export function killSelf(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The one trap of a process. */
export class Trapdoor {
  #trap: Trap | undefined;
  #skipped = 0;
  readonly #onArmed = new Set<(trap: Trap) => void>();

  get trap(): Trap | undefined {
    return this.#trap;
  }

  /** With nothing: takes the trap away. */
  arm(trap: Trap | undefined): void {
    this.#trap = trap;
    this.#skipped = 0;
    if (trap !== undefined) for (const listener of this.#onArmed) listener(trap);
  }

  onArmed(listener: (trap: Trap) => void): void {
    this.#onArmed.add(listener);
  }

  /** Whether this passing is the one that counts; for what is more than a kill on the spot. */
  isDue(place: Place): boolean {
    if (this.#trap?.place !== place) return false;
    this.#skipped += 1;
    return this.#skipped > this.#trap.skip;
  }

  pass(place: Place): void {
    if (this.isDue(place)) killSelf();
  }
}

const simple: Partial<Readonly<Record<Failpoint, readonly [Place, number]>>> = {
  'before-begin': ['before-begin', 40],
  'inside-transaction': ['in-transaction', 150],
  'mid-statement': ['mid-statement', 60],
  'before-commit': ['before-commit', 40],
  'after-commit': ['after-commit', 40],
  'after-reply': ['after-reply', 40],
  'during-checkpoint': ['checkpoint', 20],
};

/** A trap for a failpoint that a process passes while it works; one that only submits passes it less often. */
export function trapAt(failpoint: Failpoint, chance: Chance, onlySubmits: boolean): Trap {
  if (failpoint === 'during-recovery') {
    const place = chance.pick(recoveryPlaces);
    return { place, skip: recoverySkip(place, chance), chance: chance.next() };
  }
  const [place, skipMax] = simple[failpoint] ?? [];
  if (place === undefined || skipMax === undefined) {
    throw new RangeError(`No trap can be set at ${failpoint}`);
  }
  const most = onlySubmits ? Math.floor(skipMax / 3) : skipMax;
  return { place, skip: chance.whole(0, most), chance: chance.next() };
}

function recoverySkip(place: Place, chance: Chance): number {
  if (place === 'recovery:in-transaction') return chance.whole(0, 8);
  return place === 'recovery:driven-again' ? chance.whole(0, 4) : 0;
}

/**
 * Traps for processes that bring a file to their form one after the other, each dying further on than the one before.
 */
export function migrationTraps(
  migration: 'during-migration' | 'during-second-migration',
  every: readonly Place[],
  count: number,
  chance: Chance,
): Trap[] {
  // A file that a process of the release before has made has its WAL already.
  const all = every.filter(
    (place) => migration === 'during-migration' || place !== 'migration:wal-grown',
  );
  const places = Array.from({ length: count }, () => chance.whole(0, all.length - 1))
    .toSorted((a, b) => a - b)
    .map((index) => all[index])
    .filter((place) => place !== undefined);
  const once = new Set<Place>(['migration:after-commit', 'migration:wal-grown']);
  return places
    .filter((place, index) => !once.has(place) || places.indexOf(place) === index)
    .map((place) => ({ place, skip: 0, chance: chance.next() }));
}
