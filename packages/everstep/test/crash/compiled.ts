/** The program of the processes as JavaScript: a process that has nothing to compile starts in half the time. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = fileURLToPath(new URL('../../', import.meta.url));
const cache = fileURLToPath(new URL('../../../../node_modules/.cache/', import.meta.url));
const migrations = 'src/store/sqlite/migrations';

export interface Compiled {
  readonly script: string;
  /** Nothing runs it any more. */
  remove(): void;
}

/** As the sources are now; whoever changes them meanwhile changes no round. */
export function compile(): Compiled {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'everstep-crash-'));
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(
    process.execPath,
    [
      join(dirname(typescript), 'bin/tsc'),
      '-p',
      join(home, 'test/crash/tsconfig.json'),
      '--outDir',
      folder,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  cpSync(join(home, migrations), join(folder, migrations), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  return {
    script: join(folder, 'test/crash/crash-process.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
