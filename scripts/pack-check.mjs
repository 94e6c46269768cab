// Packs the built package and asks publint and attw whether the tarball can be consumed.
// `--out <folder>` keeps the tarball there as everstep.tgz.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { out: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'packages/everstep');
const bin = (name) => join(root, 'node_modules/.bin', name);

if (!existsSync(join(home, 'dist/index.js'))) {
  console.error('pack:check: packages/everstep is not built; run `npm run build` first');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'everstep-pack-'));
try {
  const listing = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: home,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ filename, files }] = JSON.parse(listing);
  const tarball = join(folder, filename);

  const strangers = files
    .map(({ path }) => path)
    .filter((path) => !/^(dist\/|package\.json$|README\.md$|LICENSE$)/.test(path));
  const tests = files
    .map(({ path }) => path)
    .filter((path) => /\.(test|contract)\.(d\.ts|js)$/.test(path));
  for (const path of [...strangers, ...tests]) {
    console.error(`pack:check: ${path} does not belong into the tarball`);
  }
  let failed = strangers.length + tests.length;

  for (const [tool, ...args] of [
    ['publint', tarball, '--strict'],
    ['attw', tarball, '--profile', 'esm-only'],
  ]) {
    const { status } = spawnSync(bin(tool), args, { cwd: folder, stdio: 'inherit' });
    if (status !== 0) {
      console.error(`pack:check: ${tool} refused the tarball`);
      failed += 1;
    }
  }

  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    copyFileSync(tarball, join(values.out, 'everstep.tgz'));
  }
  console.log(`pack:check: ${files.length} files in the tarball, ${failed} complaints`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
