import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { officialInstall } from './official-sdk.ts';

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
