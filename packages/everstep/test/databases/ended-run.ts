import { rmSync } from 'node:fs';
import { stopSharedMariaDb } from './shared-mariadb.ts';
import { stopSharedPostgres } from './shared-postgres.ts';

/** Stops the databases that a run has started, and removes its folder. */
export async function endRun(folder: string): Promise<void> {
  stopSharedPostgres(folder);
  await stopSharedMariaDb(folder);
  rmSync(folder, { recursive: true, force: true });
}
