import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { missing, run } from '../src/run.ts';

it('counts every file in a child of its own, and goes on when one cannot be read', async () => {
  const { survey, expected } = await run(fileURLToPath(new URL('../src', import.meta.url)));
  expect(survey).toEqual(expected);
  expect(Object.keys(survey.files).length).toBe(3);
  expect(survey.failed).toEqual([missing]);
  expect(survey.words).toBeGreaterThan(100);
});
