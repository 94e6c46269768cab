/** What the documents show is true: each block compiles against the source, and those marked to run print what they say. */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, documents, root } from './blocks.ts';

const execute = promisify(execFile);
const blocks = documents().flatMap((path) => blocksOf(path));
const runnable = blocks.filter((block) => block.prints !== undefined);
const source = join(root, 'packages/everstep/src/index.ts');
const testingSource = join(root, 'packages/everstep/src/testing/index.ts');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-docs-'));
  const base = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')) as {
    compilerOptions: object;
  };
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...base.compilerOptions,
        noEmit: true,
        typeRoots: [join(root, 'node_modules/@types')],
        paths: {
          everstep: [source],
          'everstep/testing': [testingSource],
          'mysql2/promise': [join(root, 'node_modules/mysql2/promise.d.ts')],
        },
      },
      include: ['*.ts'],
    }),
  );
  copyFileSync(
    join(root, 'packages/everstep/test/docs/stand-ins.d.mts'),
    join(folder, 'stand-ins.d.ts'),
  );
  // A block that others import says its name.
  for (const { code } of blocks) {
    const file = /^\/\/ ([a-z]+\.ts)\n/.exec(code)?.[1];
    if (file !== undefined) writeFileSync(join(folder, file), code);
  }
  for (const { name, code } of blocks) writeFileSync(join(folder, `${name}.ts`), code);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('finds the blocks', () => {
  expect(blocks.length).toBeGreaterThan(15);
  expect(runnable.length).toBeGreaterThan(5);
});

it('every block compiles against the source', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await execute(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  const inDocuments = stdout.replaceAll(
    /^([a-z]+-\d+)\.ts/gm,
    (all, name: string) => blocks.find((block) => block.name === name)?.place ?? all,
  );
  expect(inDocuments).toBe('');
}, 60_000);

describe('what a block prints', () => {
  const printed = new Map<string, string>();

  // One process for all: most of the time goes into loading the source.
  beforeAll(async () => {
    const runs = runnable.map(
      ({ name }) => `console.log('\\0${name}'); await import('./${name}.ts');`,
    );
    writeFileSync(join(folder, 'run-all.ts'), `${runs.join('\n')}\n`);
    const { stdout } = await execute(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), 'run-all.ts'],
      {
        cwd: folder,
        env: { ...process.env, TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json') },
      },
    );
    for (const part of stdout.split('\0').slice(1)) {
      const end = part.indexOf('\n');
      printed.set(part.slice(0, end), part.slice(end + 1));
    }
  }, 120_000);

  it.each(runnable)('is what $place says', ({ name, prints }) => {
    expect(printed.get(name)?.trim()).toBe((prints ?? '').trim());
  });
});

describe('links between documents', () => {
  const texts = [
    ...documents(),
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'docs/reference/api.md',
    'docs/reference/configuration.md',
    'docs/reference/errors.md',
    'docs/reference/limits.md',
    'docs/reference/rpc.md',
    'docs/internals/core.md',
    'docs/internals/engine.md',
    'docs/internals/execution-core.md',
    'docs/internals/journal.md',
    'docs/internals/performance.md',
    'docs/internals/storage.md',
  ];

  it.each(texts)('lead somewhere in %s', (path) => {
    const lost: string[] = [];
    for (const [, target = ''] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file = '', heading] = target.split('#');
      const to = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, to))) lost.push(target);
      else if (heading !== undefined && !headings(read(to)).includes(heading)) lost.push(target);
    }
    expect(lost).toEqual([]);
  });
});

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** As GitHub makes anchors of them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
