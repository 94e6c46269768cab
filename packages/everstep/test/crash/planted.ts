/**
 * Bugs that can be switched on, one at a time, in the store of the processes that are killed: a matrix that finds none
 * of them would prove nothing. `npm run crash -- --planted all` tries each in the cell where it should show.
 */
import type { Failpoint } from './failpoints.ts';
import type { GroundName } from './grounds.ts';
import type { Shape } from './round.ts';

export const plantedBugs = {
  /** An answer leaves some milliseconds before what it says is committed. */
  'reply-before-commit': { failpoint: 'after-reply', shape: 'one process' },
  /** A commit is written statement by statement. */
  'no-transaction': { failpoint: 'inside-transaction', shape: 'one process' },
  /** Now and then a commit leaves out its events: the journal of a completed step. */
  'events-lost': { failpoint: 'random', shape: 'one process' },
  /** A commit does not look whether another process was first. */
  'version-unchecked': { failpoint: 'random', shape: 'worker of several' },
  /** Nobody takes up what a dead process had started. */
  'death-unnoticed': { failpoint: 'random', shape: 'one process' },
  /** A process that opens the file clears away what looks like a leftover. */
  'wal-removed': { failpoint: 'after-commit', shape: 'one process' },
} as const satisfies Readonly<
  Record<string, { readonly failpoint: Failpoint; readonly shape: Shape }>
>;

export type PlantedBug = keyof typeof plantedBugs;

/** Those that stand before every store; the others are SQLite's driver's. */
const everywhere: readonly string[] = ['events-lost', 'death-unnoticed'];

export function plantedOn(store: GroundName): readonly string[] {
  return store === 'sqlite' ? Object.keys(plantedBugs) : everywhere;
}

export function isPlantedBug(name: string): name is PlantedBug {
  return Object.hasOwn(plantedBugs, name);
}
