/** The store of a process that is to be killed, with traps in its driver and around its calls. */
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { CrashDriver } from './crash-driver.ts';
import { crashPostgres } from './crash-postgres.ts';
import type { Trapdoor } from './failpoints.ts';
import { TrappedStore, type Recovery, type TrappedStoreOptions } from './trapped-store.ts';

/** `store` is the path of a SQLite file, or the URL of a database. */
export async function crashStore(
  store: string,
  trapdoor: Trapdoor,
  options: TrappedStoreOptions,
): Promise<Store> {
  const recovery: Recovery = { isUnderWay: false };
  const opened = store.startsWith('postgres:')
    ? await crashPostgres(store, trapdoor, recovery)
    : await crashSqlite(store, trapdoor, recovery, options);
  return new TrappedStore(opened, trapdoor, recovery, options);
}

async function crashSqlite(
  path: string,
  trapdoor: Trapdoor,
  recovery: Recovery,
  { planted }: TrappedStoreOptions,
): Promise<Store> {
  const driver = new CrashDriver(await loadDriver(path), trapdoor, recovery, planted);
  return new SqliteStore({ path, driver });
}
