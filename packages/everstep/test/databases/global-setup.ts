/** A folder in which the tests of one run share the databases they start; whoever needs one first starts it. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRun } from './ended-run.ts';
import { sharedFolder } from './shared-server.ts';

const cleaner = fileURLToPath(new URL('./ended-run-main.ts', import.meta.url));

export function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-databases-'));
  process.env[sharedFolder] = folder;
  // Reads until this process is gone, however it ends, and then cleans up for it.
  const watch = spawn(
    'sh',
    ['-c', 'cat; exec "$@"', 'sh', process.execPath, '--import', 'tsx', cleaner, folder],
    { detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  );
  // Where there is no such shell, a run that is killed leaves its servers.
  watch.on('error', () => undefined);
  watch.unref();
  (watch.stdin as Socket).unref();
  return async () => {
    watch.kill('SIGKILL');
    await endRun(folder);
  };
}
