import { expect, it } from 'vitest';
import { run } from '../src/run.ts';
import { verdict } from '../src/verdict.ts';

it('reports every row of an office that fails, across a change of process, and runs each step once', async () => {
  const outcome = await run(20);
  expect(verdict(outcome, 20)).toEqual([]);
  const { refused, hung, dropped } = outcome.counts;
  expect(Math.min(refused, hung, dropped)).toBeGreaterThan(0);
});
