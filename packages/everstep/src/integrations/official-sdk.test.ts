import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { installProblem, officialInstall } from './official-sdk.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

it('tells to install the line of the official packages that Everstep depends on, as the docs do', () => {
  const { dependencies, peerDependencies } = JSON.parse(read('../../package.json')) as Record<
    'dependencies' | 'peerDependencies',
    Record<string, string>
  >;
  const range = dependencies['@temporalio/client'] ?? '';
  expect(peerDependencies['@temporalio/worker']).toBe(range);
  const line = range.replace(/\.0$/, '');
  const packages = ['worker', 'workflow', 'activity'].map((name) => `@temporalio/${name}@${line}`);
  expect(officialInstall).toBe(`npm install ${packages.join(' ')}`);
  for (const doc of ['guide/integrations.md', 'reference/errors.md']) {
    expect(read(`../../../../docs/${doc}`)).toContain(officialInstall);
  }
});

it('says whether they are missing, of another version, or broken', () => {
  const problem = (versions: Readonly<Record<string, string>>, cause?: Error) =>
    installProblem((name) => versions[`${name.replace('@temporalio/', '')}`], cause);
  const good = { client: '1.22.0', worker: '1.22.3', workflow: '1.22.3', activity: '1.22.3' };
  expect(problem(good)).toBeUndefined();
  const { worker: _worker, ...rest } = good;
  expect(problem(rest, new TypeError('Cannot find package'))).toBe(
    '@temporalio/worker not installed',
  );
  expect(problem({ ...good, worker: '1.10.0' }, new TypeError('no export'))).toBe(
    '@temporalio/worker 1.10.0 installed, and Everstep is made for 1.22',
  );
  expect(problem({ ...good, activity: '2.0.0' })).toContain('@temporalio/activity 2.0.0 installed');
  expect(problem(good, new TypeError('no binary'))).toBe('they cannot be loaded: no binary');
});
