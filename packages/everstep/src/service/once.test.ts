import { expect, it } from 'vitest';
import { Once } from './once.ts';

it('does it once for all who ask, and anew when it has failed', async () => {
  let begun = 0;
  const once = new Once(async () => {
    begun += 1;
    if (begun === 1) throw new TypeError('not yet');
    return begun;
  });
  expect(await once.begun()).toBeUndefined();
  const first = once.get();
  await Promise.all([
    expect(first).rejects.toThrow('not yet'),
    expect(once.get()).rejects.toThrow('not yet'),
    expect(once.begun()).resolves.toBeUndefined(),
  ]);
  expect(begun).toBe(1);
  expect(await Promise.all([once.get(), once.get(), once.begun()])).toEqual([2, 2, 2]);
  expect(begun).toBe(2);
});
