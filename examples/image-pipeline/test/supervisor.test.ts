import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Supervisor } from '../src/supervisor.ts';

let folder: string;
let crashes: string[];
let supervisor: Supervisor;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-supervisor-'));
  crashes = [];
  supervisor = new Supervisor(folder, (problem) => crashes.push(problem));
});
afterEach(() => {
  supervisor.killAll();
  rmSync(folder, { recursive: true, force: true });
});

const start = (settings: Record<string, string> = {}) =>
  supervisor.start('provider', new URL('../src/provider.ts', import.meta.url), {
    DEMO_FOLDER: folder,
    DEMO_SEED: '1',
    ...settings,
  });

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

it('starts a process and says where it answers, and stops it in good order', async () => {
  const { url } = await start();
  expect(await answers(url)).toBe(true);
  expect(await supervisor.stop()).toEqual([]);
  expect(await answers(url)).toBe(false);
  expect(crashes).toEqual([]);
});

it('kills a process at once when told to, and does not take that for a crash', async () => {
  const running = await start();
  await running.kill();
  expect(await answers(running.url)).toBe(false);
  expect(() => process.kill(running.pid, 0)).toThrow('ESRCH');
  expect(crashes).toEqual([]);
});

it('reports a process that does not start, with what it said', async () => {
  await expect(start({ DEMO_SEED: '' })).rejects.toThrow('the provider process did not start');
  expect(crashes).toHaveLength(1);
  expect(crashes[0]).toContain('exit code 1');
  expect(crashes[0]).toContain('DEMO_SEED is not set');
});

it('reports a process that ends by itself', async () => {
  const { pid } = await start();
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => crashes).toHaveLength(1);
  expect(crashes[0]).toContain('the provider process ended by itself (SIGKILL)');
});
