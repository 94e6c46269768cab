import { expect, it } from 'vitest';
import { run } from '../src/run.ts';
import { verdict } from '../src/verdict.ts';

it('ships what can be shipped, and undoes the rest', async () => {
  expect(verdict(await run())).toEqual([]);
});

it('is not satisfied with a shop that kept the money', async () => {
  const outcome = await run();
  outcome.shop.payments.set('lamp-2', 4900);
  expect(verdict(outcome)).toEqual([expect.stringMatching(/^the payments: /)]);
});
