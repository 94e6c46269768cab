import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writtenFolder } from '../../test/written-folder.ts';
import { loadModule, messageOf } from './load-module.ts';

it.each(['index.ts', 'index.js', 'index.mjs'])('loads %s, once', async (name) => {
  const root = writtenFolder({
    [name]: `export const made = {}; export default 7;`,
    'package.json': '{ "type": "module" }',
  });
  const first = await loadModule(join(root, name));
  expect(first).toMatchObject({ default: 7 });
  expect((await loadModule(join(root, name)))['made']).toBe(first['made']);
});

it('takes TypeScript compiled to CommonJS for what it was', async () => {
  const root = writtenFolder({
    'index.js': `Object.defineProperty(exports, '__esModule', { value: true });
      exports.named = 1; exports.default = 2;`,
    'plain.js': 'module.exports = { named: 3 };',
  });
  expect({ ...(await loadModule(join(root, 'index.js'))) }).toEqual({ named: 1, default: 2 });
  expect(await loadModule(join(root, 'plain.js'))).toMatchObject({ default: { named: 3 } });
});

it('gives a module that waits for little the time that a busy process takes', async () => {
  const root = writtenFolder({
    'index.mjs': 'await new Promise((resolve) => setTimeout(resolve, 10)); export default 7;',
  });
  const loading = loadModule(join(root, 'index.mjs'), { timeoutMs: 50 });
  const busyUntil = performance.now() + 100;
  while (performance.now() < busyUntil);
  expect(await loading).toMatchObject({ default: 7 });
});

it('keeps what the module threw as the cause', async () => {
  const root = writtenFolder({ 'index.ts': `throw new RangeError('no more');` });
  const error = await loadModule(join(root, 'index.ts')).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: 'MODULE_LOAD_FAILED',
    message: `${join(root, 'index.ts')} cannot be loaded: no more. Correct the file; it was left out.`,
    cause: { name: 'RangeError' },
  });
});

it.each([
  ['missing.ts', {}],
  ['index.ts', { 'index.ts': 'export const = 1;' }],
  ['index.mjs', { 'index.mjs': `import "./missing.mjs";` }],
  ['index.ts', { 'index.ts': 'throw undefined;' }],
])('refuses %s that cannot be loaded: %j', async (name, files) => {
  const path = join(writtenFolder(files as Readonly<Record<string, string>>), name);
  await expect(loadModule(path)).rejects.toMatchObject({
    code: 'MODULE_LOAD_FAILED',
    message: expect.stringContaining(`${path} cannot be loaded: `),
  });
});

it('finds words for whatever was thrown', () => {
  const unreadable = {
    toString() {
      throw new TypeError('no');
    },
  };
  expect([new RangeError(''), 'text.', null, unreadable].map(messageOf)).toEqual([
    'RangeError',
    'text',
    'null',
    'something was thrown that has no message',
  ]);
});
