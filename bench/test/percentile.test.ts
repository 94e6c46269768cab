import { expect, it } from 'vitest';
import { percentile } from '../src/percentile.ts';

it('is the smallest value that so many do not exceed', () => {
  const values = Array.from({ length: 200 }, (_item, index) => 200 - index);
  expect(percentile(values, 50)).toBe(100);
  expect(percentile(values, 99)).toBe(198);
  expect(percentile([7], 99)).toBe(7);
});
