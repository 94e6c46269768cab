import { expect, it } from 'vitest';
import { run } from '../src/run.ts';
import { verdict } from '../src/verdict.ts';

it('pays what was approved in time, and nothing else', async () => {
  const outcome = await run();
  expect(verdict(outcome)).toEqual([]);
  expect(verdict({ ...outcome, paid: [...outcome.paid, 'refused 3000'] })).toEqual([
    expect.stringMatching(/^paid: /),
  ]);
});
