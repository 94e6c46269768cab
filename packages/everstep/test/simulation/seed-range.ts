/** Runs the worlds of some seeds in a row; as the main file of a process of its own, for whoever asks by message. */
import { RuleCoverage } from './rule-coverage.ts';
import { addAll, count, emptyTally } from './tally.ts';
import type { Tally } from './tally.ts';
import { runWorld } from './world.ts';

export interface SeedRange {
  readonly first: number;
  readonly seeds: number;
}

export async function runSeeds({ first, seeds }: SeedRange): Promise<Tally> {
  const coverage = new RuleCoverage();
  const tally = emptyTally();
  const before = process.cpuUsage();
  for (let seed = first; seed < first + seeds; seed += 1) {
    count(tally, await runWorld({ seed, coverage }));
  }
  const { user, system } = process.cpuUsage(before);
  tally.cpuMs = (user + system) / 1_000;
  addAll(tally.rules, coverage.counts);
  return tally;
}

if (process.send) {
  process.on('message', (range: SeedRange) => {
    runSeeds(range).then(
      (tally) => process.send?.(tally),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
