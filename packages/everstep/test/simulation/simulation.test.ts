import { expect, it } from 'vitest';
import { find, plantedBugs } from './planted-bugs.ts';
import { runWorld } from './world.ts';

/** Seeds of every test run; `npm run simulate` runs others. */
const seeds = 200;

it(`${seeds} worlds keep every invariant`, { timeout: 600_000 }, async () => {
  const failed: string[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { violations } = await runWorld({ seed });
    for (const { invariant, what } of violations) {
      failed.push(`seed ${seed}, invariant ${invariant}: ${what}`);
    }
  }
  expect(failed).toEqual([]);
});

it('a seed makes the same trace each time', { timeout: 200_000 }, async () => {
  let lines = 0;
  for (const seed of [3, 5, 8, 13, 21, 34, 55, 89]) {
    const first: string[] = [];
    const second: string[] = [];
    const one = await runWorld({ seed, onTrace: (line) => first.push(line) });
    const two = await runWorld({ seed, onTrace: (line) => second.push(line) });
    expect(second).toEqual(first);
    expect(two.digest).toBe(one.digest);
    lines += first.length;
  }
  expect(lines).toBeGreaterThan(500);
});

it('another seed makes another trace', async () => {
  const [one, two] = [await runWorld({ seed: 1 }), await runWorld({ seed: 2 })];
  expect(one.digest).not.toBe(two.digest);
});

/** Of each kind some that few seeds find; `npm run simulate -- --planted` looks for all of them. */
const soonFound = [
  'lost-wake-up',
  'lonely-survivor',
  'history-lost',
  'attempts-one-more',
  'attempts-one-fewer',
  'close-over-buffer',
  'reply-before-commit',
  'race-out-of-order',
  'speculative-overtaken',
];

it.each(
  plantedBugs.filter(({ name }) => soonFound.includes(name)).map((bug) => [bug.name, bug] as const),
)('a planted bug is found: %s', { timeout: 200_000 }, async (_name, bug) => {
  expect((await find(bug, 1_000, 60)).seeds).toBeDefined();
});
