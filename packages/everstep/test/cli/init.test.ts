/** `everstep init`; that the project runs is proved from the packed tarball, by scripts/init-project.mjs. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { everstep, everstepJson } from './command-line.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const files = [
  '.gitignore',
  'package.json',
  'src/submit.ts',
  'src/tasks/postcard.ts',
  'src/worker.ts',
  'tsconfig.json',
];

it('writes a project named for its folder, which asks for this version', async () => {
  const project = join(folder, 'My Shop');
  const made = await everstepJson<{ folder: string; files: string[] }>(['init', project]);
  expect(made.folder).toBe(project);
  expect(made.files.toSorted()).toEqual(files);
  const read = (file: string): string => readFileSync(join(project, file), 'utf8');
  for (const file of files) expect(read(file)).not.toMatch(/\{\{|\.template/);
  const own = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(own) as { version: string };
  expect(JSON.parse(read('package.json'))).toMatchObject({
    name: 'my-shop',
    dependencies: { everstep: `^${version}` },
  });
  expect(read('.gitignore')).toContain('.everstep/');
});

it('leaves a folder alone that is not empty, unless it is forced', async () => {
  mkdirSync(join(folder, '.git'));
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  writeFileSync(join(folder, 'package.json'), '{}');
  const refused = await everstep(['init', folder]);
  expect(refused).toMatchObject({ code: 2, out: '' });
  expect(refused.err).toContain('is not empty (notes.txt); name a new one, or add --force');
  expect(existsSync(join(folder, 'src'))).toBe(false);

  expect((await everstep(['init', folder, '--force'])).code).toBe(0);
  expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  expect(readFileSync(join(folder, 'package.json'), 'utf8')).toContain('"everstep"');
});

it('takes a new repository for an empty folder, and a file for no folder', async () => {
  mkdirSync(join(folder, '.git'));
  expect((await everstep(['init', folder])).code).toBe(0);
  const { code, err } = await everstep(['init', join(folder, 'package.json')]);
  expect(code).toBe(2);
  expect(err).toContain('is no folder');
});

it('asks for a tarball by its place from the project, where it exists', async () => {
  writeFileSync(join(folder, 'everstep.tgz'), '');
  const project = join(folder, 'app');
  await everstep(['init', project, '--everstep', join(folder, 'everstep.tgz')]);
  expect(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))).toMatchObject({
    dependencies: { everstep: 'file:../everstep.tgz' },
  });
  const missing = await everstep(['init', join(folder, 'b'), '--everstep', './no.tgz']);
  expect(missing).toMatchObject({ code: 2, out: '' });
  expect(missing.err).toContain('there is no such file');
});
