// Proves that README.md's first snippet is true: takes the first ```ts block that follows the marker
// `<!-- snippet:first -->`, checks its types against the package installed in the folder given, runs it
// there, and compares what it prints with the ```text block that follows it.
//
//   node scripts/readme-snippet.mjs <folder with everstep installed>
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const [given] = process.argv.slice(2);
if (given === undefined) fail('name the folder in which everstep is installed');
const folder = resolve(given);

const marker = '<!-- snippet:first -->';
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const start = readme.indexOf(marker);
if (start === -1) fail(`README.md has no ${marker}`);
const rest = readme.slice(start + marker.length);
const code = /```ts\n([\s\S]*?)```/.exec(rest);
if (code === null) fail(`no \`\`\`ts block follows ${marker} in README.md`);
const expected = /^\s*[\s\S]*?```text\n([\s\S]*?)```/.exec(
  rest.slice(code.index + code[0].length),
)?.[1];
if (expected === undefined) fail('no ```text block with the expected output follows the snippet');

writeFileSync(join(folder, 'snippet.ts'), code[1]);
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const strict = '--noEmit --strict --skipLibCheck --module nodenext --target es2023 --types node';
const types = spawnSync(
  process.execPath,
  [tsc, ...strict.split(' '), '--typeRoots', join(root, 'node_modules/@types'), 'snippet.ts'],
  { cwd: folder, encoding: 'utf8' },
);
if (types.status !== 0) fail(`the snippet has type errors:\n${types.stdout}${types.stderr}`);

const { code: script } = await transform(code[1], {
  filename: 'snippet.ts',
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  module: { type: 'es6' },
  swcrc: false,
});
writeFileSync(join(folder, 'snippet.mjs'), script);
const run = spawnSync(process.execPath, ['snippet.mjs'], {
  cwd: folder,
  encoding: 'utf8',
  timeout: 120_000,
});
if (run.status !== 0) {
  fail(`the snippet ended with ${run.signal ?? run.status}:\n${run.stdout}${run.stderr}`);
}
if (run.stdout.trim() !== expected.trim()) {
  fail(`the snippet printed\n${run.stdout}\nwhere README.md says\n${expected}`);
}
console.log('README.md: the first snippet runs and prints what it says');

function fail(message) {
  console.error(`readme-snippet: ${message}`);
  process.exit(1);
}
