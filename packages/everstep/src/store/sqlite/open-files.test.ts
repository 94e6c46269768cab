import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { hasOpen } from './open-files.ts';

it.runIf(process.platform === 'linux')('tells who has a file open, and who has not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.db');
  writeFileSync(path, '');
  writeFileSync(`${path}-copy`, '');
  const code = `require('fs').openSync(${JSON.stringify(path)}); console.log(); setInterval(() => 0, 1e6)`;
  const other = spawn(process.execPath, ['-e', code]);
  const gone = new Promise((resolve) => other.once('exit', resolve));
  await new Promise((resolve) => other.stdout.once('data', resolve));
  const { pid = 0 } = other;
  expect(hasOpen(pid, path)).toBe(true);
  expect(hasOpen(pid, `${path}-copy`)).toBe(false);
  expect(hasOpen(process.pid, path)).toBe(false);
  expect(hasOpen(pid, join(folder, 'none'))).toBeUndefined();
  other.kill();
  await gone;
  expect(hasOpen(pid, path)).toBeUndefined();
});
