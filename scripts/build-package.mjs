// Builds packages/everstep: types and output by tsc, then the files that tsc does not carry.
import { execFileSync } from 'node:child_process';
import { cpSync, copyFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceFiles } from './source-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'packages/everstep');
const tsc = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc',
);

rmSync(join(home, 'dist'), { recursive: true, force: true });
try {
  execFileSync(process.execPath, [tsc, '-p', join(home, 'tsconfig.build.json')], {
    cwd: home,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
} catch {
  process.exit(1);
}
for (const file of sourceFiles(join(home, 'src'), () => true)) {
  if (extname(file) === '.ts') continue;
  cpSync(join(home, 'src', file), join(home, 'dist', file));
}
for (const name of ['README.md', 'LICENSE']) {
  try {
    copyFileSync(join(root, name), join(home, name));
  } catch (cause) {
    if (cause.code !== 'ENOENT') throw cause;
  }
}
