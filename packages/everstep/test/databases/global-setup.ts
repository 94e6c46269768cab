/** A folder in which the tests of one run share the databases they start; whoever needs one first starts it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopSharedMariaDb } from './shared-mariadb.ts';
import { stopSharedPostgres } from './shared-postgres.ts';
import { sharedFolder } from './shared-server.ts';

export function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-databases-'));
  process.env[sharedFolder] = folder;
  return async () => {
    stopSharedPostgres(folder);
    await stopSharedMariaDb(folder);
    rmSync(folder, { recursive: true, force: true });
  };
}
