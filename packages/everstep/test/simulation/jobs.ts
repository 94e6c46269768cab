/** Many seeds on several cores: processes that are given some seeds at a time. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SeedRange } from './seed-range.ts';
import { emptyTally, merge } from './tally.ts';
import type { Tally } from './tally.ts';

/** A process is given so many at once. */
const seedsAtOnce = 25;

export interface JobsOptions extends SeedRange {
  readonly jobs: number;
  /** No more are begun after that. */
  readonly secondsMax: number;
  readonly onTally: (all: Tally, latest: Tally) => void;
}

export async function runJobs(options: JobsOptions): Promise<Tally> {
  const { first, seeds, jobs, secondsMax, onTally } = options;
  const all = emptyTally();
  const began = process.hrtime.bigint();
  let next = first;
  const range = (): SeedRange | undefined => {
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    if (next >= first + seeds || seconds >= secondsMax) return undefined;
    const from = next;
    next = Math.min(first + seeds, from + seedsAtOnce);
    return { first: from, seeds: next - from };
  };
  await Promise.all(
    Array.from({ length: jobs }, () =>
      runJob(range, (tally) => {
        merge(all, tally);
        onTally(all, tally);
      }),
    ),
  );
  return all;
}

function runJob(
  range: () => SeedRange | undefined,
  onTally: (tally: Tally) => void,
): Promise<void> {
  const child = fork(fileURLToPath(new URL('seed-range.ts', import.meta.url)));
  const give = (): void => {
    const some = range();
    if (some) child.send(some);
    else child.disconnect();
  };
  return new Promise((resolve, reject) => {
    child.on('message', (tally) => {
      onTally(tally as Tally);
      give();
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`A process of the simulator ended with ${code}`));
    });
    give();
  });
}
