/** A folder in which the tests of one run share the databases they start; whoever needs one first starts it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedFolder, stopShared } from './shared-postgres.ts';

export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-databases-'));
  process.env[sharedFolder] = folder;
  return () => {
    stopShared(folder);
    rmSync(folder, { recursive: true, force: true });
  };
}
