/** What can be told of a database file without changing it: for commands that only look. */
import { statSync } from 'node:fs';
import { checkHeader } from './database-file.ts';
import { storeErrorOf } from './database.ts';
import { loadDriver, type SqliteHandle } from './driver.ts';
import { newerVersion, readMigrations } from './migrations.ts';

export interface FileReport {
  readonly bytes: number;
  /** Of the write-ahead log, which is made large at once. */
  readonly walBytes: number;
  /** Its form, and the newest one known; an older one is brought up to date when a process opens it. */
  readonly form: number;
  readonly newestForm: number;
  readonly journalMode: string;
  /** `node:sqlite`, or what stands in for it. */
  readonly driver: string;
  readonly sqliteVersion: string;
  readonly namespaces: readonly string[];
}

const busyMs = 5_000;

/**
 * Undefined: there is no file, or nothing in it.
 *
 * @throws StoreError for a file that is not ours, damaged, of a newer form, locked or not to be read.
 */
export async function reportOnFile(path: string): Promise<FileReport | undefined> {
  const bytes = sizeOf(path);
  const newestForm = readMigrations().at(-1)?.version ?? 0;
  checkHeader(path, newestForm);
  if (bytes === 0) return undefined;
  const driver = await loadDriver(path);
  let handle: SqliteHandle | undefined;
  try {
    handle = driver.open(path, { readOnly: true });
    handle.exec(`PRAGMA busy_timeout = ${busyMs}`);
    const value = (sql: string): unknown => Object.values(handle?.prepare(sql).get() ?? {})[0];
    // The header may be older than what stands in the write-ahead log.
    const form = Number(value('PRAGMA user_version'));
    if (form > newestForm) throw newerVersion(path, form, newestForm);
    return {
      bytes,
      walBytes: sizeOf(`${path}-wal`),
      form,
      newestForm,
      journalMode: String(value('PRAGMA journal_mode')),
      driver: driver.name,
      sqliteVersion: String(value('SELECT sqlite_version()')),
      namespaces:
        form === 0
          ? []
          : handle
              .prepare('SELECT name FROM namespaces ORDER BY name')
              .all()
              .map((row) => String(row['name'])),
    };
  } catch (cause) {
    throw storeErrorOf(cause, path);
  } finally {
    handle?.close();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
