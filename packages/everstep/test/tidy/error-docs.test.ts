/** Each code that a user may meet has one paragraph in docs/reference/errors.md, and no paragraph is left over. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorCodes } from '../../src/service/error-codes.ts';
import { stepFailureTypes, taskErrorCodes } from '../../src/tasks/task-errors.ts';

const text = (path: string): string =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

/** A type has no list at run time. */
function storeErrorCodes(): string[] {
  const source = text('packages/everstep/src/store/store.ts');
  const [, union = ''] = /type StoreErrorCode =([^;]*);/.exec(source) ?? [];
  return [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);
}

const documented = [...text('docs/reference/errors.md').matchAll(/^### `([A-Z_a-z]+)`$/gm)].map(
  ([, code = '']) => code,
);
const codes = [
  ...errorCodes,
  ...storeErrorCodes(),
  ...taskErrorCodes,
  ...Object.values(stepFailureTypes),
  'ProcessLost',
];

it('finds the codes', () => {
  expect(storeErrorCodes()).toContain('STORE_CORRUPT');
  expect(documented.length).toBeGreaterThan(10);
});

it('no code stands in two lists', () => {
  expect(codes.length).toBe(new Set(codes).size);
});

it('documents every code, and nothing else', () => {
  expect(documented.toSorted()).toEqual(codes.toSorted());
});

it('has words under each heading', () => {
  const empty = text('docs/reference/errors.md')
    .split(/^### /m)
    .slice(1)
    .filter((section) => (section.split('\n\n')[1]?.trim() ?? '').length < 40);
  expect(empty).toEqual([]);
});
