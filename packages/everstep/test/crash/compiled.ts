/**
 * The program of the processes as one file of JavaScript: a process that has nothing to compile and one file to read
 * starts in a third of the time, and thousands of them are started.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { GroundName } from './grounds.ts';

const home = fileURLToPath(new URL('../../', import.meta.url));
const cache = fileURLToPath(new URL('../../../../node_modules/.cache/', import.meta.url));

export interface Compiled {
  readonly script: string;
  /** The same program with one migration more. */
  readonly nextScript: string;
  /** Nothing runs it any more. */
  remove(): void;
}

/** As the sources are now, with the migrations of that one store; whoever changes them meanwhile changes no round. */
export function compile(
  program = 'crash-process',
  {
    packages = 'bundle',
    store = 'sqlite',
  }: { readonly packages?: 'bundle' | 'external'; readonly store?: GroundName } = {},
): Compiled {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'everstep-crash-'));
  const [script, nextScript] = ['this-release', 'next-release'].map((release) => {
    const outfile = join(folder, release, `${program}.cjs`);
    buildSync({
      entryPoints: [join(home, 'test/crash', `${program}.ts`)],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      packages,
      // What has files of its own beside it, and what is loaded only where somebody has it and asks for it.
      external: ['@photostructure/sqlite', '@temporalio/worker', 'jiti', 'pg'],
      banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
      define: { 'import.meta.url': 'moduleUrl' },
      logLevel: 'warning',
    });
    const migrations = join(folder, release, 'migrations');
    cpSync(join(home, 'src/store', store, 'migrations'), migrations, { recursive: true });
    return outfile;
  });
  if (script === undefined || nextScript === undefined) throw new TypeError('Nothing was compiled');
  cpSync(join(home, 'test/crash/next-release', store), join(folder, 'next-release/migrations'), {
    recursive: true,
  });
  return {
    script,
    nextScript,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
