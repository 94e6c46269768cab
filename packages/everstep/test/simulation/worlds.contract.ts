import { expect, it } from 'vitest';
import { runWorld } from './world.ts';

/** The worlds of these seeds, both included; `npm run simulate` runs others. */
export function describeWorlds(first: number, last: number): void {
  it(
    `the worlds of seeds ${first} to ${last} keep every invariant`,
    { timeout: 600_000 },
    async () => {
      const failed: string[] = [];
      for (let seed = first; seed <= last; seed += 1) {
        const { violations } = await runWorld({ seed });
        for (const { invariant, what } of violations) {
          failed.push(`seed ${seed}, invariant ${invariant}: ${what}`);
        }
      }
      expect(failed).toEqual([]);
    },
  );
}
