/** `everstep init`: a project that runs. Its files are those of the folder project/, as they stand there. */
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { jsonText } from './json-text.ts';
import { packageVersion } from './package-version.ts';
import type { Terminal } from './terminal.ts';

interface InitFlags {
  readonly force?: true;
  readonly everstep?: string;
  readonly json?: true;
}

/** Where the template is, and where its file goes. */
const suffix = '.template';
const renamed: Readonly<Record<string, string>> = { gitignore: '.gitignore' };
/** A folder with nothing but these counts as empty. */
const unseen = new Set(['.git', '.DS_Store']);

const examples = `
Examples:
  everstep init my-app && cd my-app && npm install && npm start
  everstep init . --force

It writes package.json, tsconfig.json, .gitignore, one task, a worker (npm start) and a script that submits
(npm run submit). --force writes them into a folder that is not empty, over files of the same names.`;

export function initCommand(terminal: Terminal): Command {
  return new Command('init')
    .description('Make a project that runs: one task, a worker, and a script that submits.')
    .argument('[dir]', 'made where it does not exist', '.')
    .option('--force', 'also into a folder that is not empty')
    .option(
      '--everstep <version>',
      'what package.json asks for: a version, or a tarball (default: this one)',
    )
    .option('--json', 'print { folder, files } as JSON')
    .addHelpText('after', examples)
    .action((dir: string, flags: InitFlags) => {
      const folder = resolve(dir);
      if (!flags.force) refuseFull(folder, dir);
      const files = writeProject(folder, {
        name: packageName(folder),
        everstep: specFrom(flags.everstep, folder),
      });
      if (flags.json) {
        terminal.out.write(jsonText({ folder, files }));
        return;
      }
      for (const file of files) terminal.out.write(`  ${file}\n`);
      const place = relative(process.cwd(), folder);
      const go = place === '' ? '' : `cd ${place} && `;
      terminal.out.write(
        `\nNext: ${go}npm install && npm start\nThen, in another terminal: ${go}npm run submit -- lisbon\n`,
      );
    });
}

function refuseFull(folder: string, dir: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isDirectory()) throw new RangeError(`${dir} is no folder; name one, or a new one.`);
  const [first] = readdirSync(folder).filter((name) => !unseen.has(name));
  if (first === undefined) return;
  throw new RangeError(
    `The folder ${dir} is not empty (${first}); name a new one, or add --force to write into it, over files of the same names.`,
  );
}

function writeProject(folder: string, values: Readonly<Record<string, string>>): string[] {
  const from = fileURLToPath(new URL('./project/', import.meta.url));
  const files = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(suffix))
    .map((path) => path.slice(0, -suffix.length))
    .sort();
  return files.map((path) => {
    const text = readFileSync(join(from, path + suffix), 'utf8');
    const file = renamed[path] ?? path;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(
      join(folder, file),
      text.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => values[name] ?? ''),
    );
    return file;
  });
}

/** As npm allows it. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'everstep-app' : name;
}

function specFrom(given: string | undefined, folder: string): string {
  if (given === undefined) return `^${packageVersion()}`;
  if (!given.endsWith('.tgz') || /^[a-z]+:/.test(given)) return given;
  if (statSync(given, { throwIfNoEntry: false }) === undefined) {
    throw new RangeError(`--everstep is ${given}, and there is no such file.`);
  }
  return `file:${relative(folder, resolve(given))}`;
}
