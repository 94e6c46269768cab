/**
 * The form of the file. Migrations are the .sql files beside this one, numbered without a gap; the number of the last
 * one that ran is the file's user_version, and application_id says that the file is ours.
 */
import { migrationsIn, type Migration } from '../migration-files.ts';
import { StoreError } from '../store.ts';
import type { SqliteDatabase } from './database.ts';

/** 'EVST'. */
export const applicationId = 0x45565354;

export function readMigrations(): readonly Migration[] {
  return migrationsIn(new URL('./migrations/', import.meta.url));
}

/** Brings the file up to date, one transaction a migration. Two processes may do this at the same time. */
export function migrate(db: SqliteDatabase, migrations: readonly Migration[]): void {
  for (const migration of migrations) {
    db.transaction(() => {
      if (userVersion(db) >= migration.version) return;
      db.exec(migration.sql);
      db.exec(`PRAGMA application_id = ${applicationId}`);
      db.exec(`PRAGMA user_version = ${migration.version}`);
    });
  }
  const newest = migrations.at(-1)?.version ?? 0;
  const found = userVersion(db);
  if (found > newest) throw newerVersion(db.path, found, newest);
}

export function newerVersion(path: string, found: number, known: number): StoreError {
  return new StoreError(
    'STORE_NEWER_VERSION',
    `The database ${path} has form ${found}, and this version of Everstep knows forms up to ${known}. It was not ` +
      `touched: update Everstep, or choose another path.`,
    { cause: { found, known } },
  );
}

function userVersion(db: SqliteDatabase): number {
  return db.once('PRAGMA user_version').get()?.['user_version'] as number;
}
