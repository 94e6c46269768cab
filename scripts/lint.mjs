// Runs oxlint with its type-aware rules, and fails when it read fewer files than there are: a linter
// that found nothing to read is as silent as one that found nothing wrong.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceFiles } from './source-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = dirname(createRequire(import.meta.url).resolve('oxlint/package.json'));
const isCode = (path) => /\.(ts|tsx|mts|mjs|js)$/.test(path);
const folders = ['packages', 'apps', 'bench', 'examples', 'scripts'];
const expected = sourceFiles(root, isCode).filter((path) => folders.includes(path.split('/')[0]));

const run = spawnSync(
  process.execPath,
  [join(home, 'bin/oxlint'), '--type-aware', ...process.argv.slice(2)],
  {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  },
);
process.stdout.write(run.stdout);
process.stderr.write(run.stderr);
if (run.status !== 0) process.exit(run.status ?? 1);

const read = Number(/ on (\d+) files? /.exec(run.stdout)?.[1] ?? 0);
if (read < expected.length) {
  console.error(`oxlint read ${read} files, but there are ${expected.length} to read`);
  process.exit(1);
}
