/** Bugs that are put in one at a time, each of which must be found: else a clean run proves nothing. */
import { callerBugs } from './caller-bugs.ts';
import { coreBugs } from './core-bugs.ts';
import type { PlantedBug } from './planted-bug.ts';
import { storeBugs } from './store-bugs.ts';
import { runWorld } from './world.ts';

export const plantedBugs: readonly PlantedBug[] = [...storeBugs, ...coreBugs, ...callerBugs];

export interface Found {
  readonly bug: PlantedBug;
  /** Undefined: not found. */
  readonly seeds: number | undefined;
  readonly invariant: number | undefined;
  readonly by: string;
}

/** Runs worlds with the bug in them until one of them complains. */
export async function find(bug: PlantedBug, from: number, seedsMax: number): Promise<Found> {
  for (let index = 0; index < seedsMax; index += 1) {
    const { violations } = await runWorld({ seed: from + index, bug });
    const [first] = violations;
    if (first) return { bug, seeds: index + 1, invariant: first.invariant, by: first.what };
  }
  return { bug, seeds: undefined, invariant: undefined, by: '' };
}
