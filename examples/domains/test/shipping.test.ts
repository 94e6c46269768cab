/** The guide's five steps, as they stand there, make a domain that runs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsyncTaskComponent, loadDomains, type Workflow } from 'everstep';
import { expect, it, onTestFinished } from 'vitest';

const guide = readFileSync(new URL('../../../docs/guide/domains.md', import.meta.url), 'utf8');

it('adds a shipping domain whose orders run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-shipping-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, 'domains/shipping'), { recursive: true });
  const files = [...guide.matchAll(/^```ts\n\/\/ ([a-z]+\.ts)\n([\s\S]*?)^```$/gm)];
  expect(files.map(([, name]) => name)).toEqual(['activities.ts', 'workflow.ts', 'index.ts']);
  for (const [, name = '', code = ''] of files) {
    writeFileSync(join(folder, 'domains/shipping', name), code);
  }
  const [, names = ''] = /^ENABLE_DOMAINS=(\S+) node/m.exec(guide) ?? [];

  const { domains } = await loadDomains(names, { cwd: folder, strict: true });

  const [shipping] = domains;
  expect(shipping).toMatchObject({ name: 'shipping', taskQueue: 'shipping-task-queue' });
  expect(Object.keys(shipping?.activities ?? {})).toEqual(['weigh', 'book']);
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.registerAll(shipping?.workflows ?? []);
  await component.start();
  onTestFinished(() => component.stop());
  const workflow = shipping?.workflows?.[0] as Workflow<{ id: string; kilograms: number }>;
  expect(await workflow.execute({ id: 'p-1', kilograms: 2.5 })).toMatchObject({ cents: 300 });
  await expect(workflow.execute({ id: 'p-2', kilograms: 31 })).rejects.toMatchObject({
    cause: { cause: { type: 'RangeError' } },
  });
});
