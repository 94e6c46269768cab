import { symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as activity from '@temporalio/activity';
import { expect, it } from 'vitest';
import { writtenFolder } from '../../test/written-folder.ts';
import { importTranspiled } from './transpiled-module.ts';

const packages = dirname(
  dirname(dirname(createRequire(import.meta.url).resolve('@temporalio/activity/package.json'))),
);

it('loads what type stripping cannot: enums, parameter properties, imports without endings', async () => {
  const root = writtenFolder({
    'index.ts': `import { Kind, type Shape } from "./kind";
      import { twice } from "./twice.js";
      import { name } from '@own/name';
      export class Box implements Shape { constructor(readonly kind: Kind) {} }
      export const box = new Box(twice(Kind.Round));
      export const own = name;
      export const folder = __dirname;
      export const late = await Promise.resolve('late');`,
    'kind.ts': `export enum Kind { Flat, Round } export interface Shape { kind: Kind }`,
    'twice.ts': `export const twice = (n: number): number => n * 2;`,
    'own/name.ts': `export const name = 'by a path of the tsconfig';`,
    'tsconfig.json': `{ "compilerOptions": { "paths": { "@own/*": ["./own/*"] } } }`,
  });
  const { box, own, folder, late } = await importTranspiled(join(root, 'index.ts'));
  expect({ box: { ...(box as object) }, own, folder, late }).toEqual({
    box: { kind: 2 },
    own: 'by a path of the tsconfig',
    folder: root,
    late: 'late',
  });
});

it('gives packages as Node does, so that they are the same instances', async () => {
  const root = writtenFolder({
    'index.ts': `import { Context } from '@temporalio/activity';
      import * as all from '@temporalio/activity';
      export { Context };
      export const current = all.activityInfo;`,
  });
  symlinkSync(packages, join(root, 'node_modules'));
  const exports = await importTranspiled(join(root, 'index.ts'));
  expect(exports['Context']).toBe(activity.Context);
  expect(exports['current']).toBe(activity.activityInfo);
});

it('gives one instance of a file that two import, and no default export that is not there', async () => {
  const root = writtenFolder({
    'shared.ts': `export enum E { One = 1 } export const shared = { count: E.One };`,
    'one.ts': `export { shared } from "./shared";`,
    'two.ts': `export { shared } from "./shared";`,
  });
  const one = await importTranspiled(join(root, 'one.ts'));
  const two = await importTranspiled(join(root, 'two.ts'));
  expect(one['shared']).toBe(two['shared']);
  expect(Object.keys(one)).toEqual(['shared']);
});

it('loads files that import each other', async () => {
  const root = writtenFolder({
    'a.ts': `import { b } from "./b"; export enum E { One = 1 } export function a() { return b(); }`,
    'b.ts': `import { E } from "./a"; export function b() { return E.One; }`,
  });
  const { a } = await importTranspiled(join(root, 'a.ts'));
  expect((a as () => number)()).toBe(1);
});

it('does without the paths of a tsconfig that cannot be read', async () => {
  const root = writtenFolder({
    'tsconfig.json': `{ "extends": "@tsconfig/not-installed/tsconfig.json" }`,
    'index.ts': `export enum E { One } export default E.One;`,
  });
  expect(await importTranspiled(join(root, 'index.ts'))).toMatchObject({ default: 0 });
});
