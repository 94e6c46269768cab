/**
 * The form of the tables. Migrations are the .sql files beside this one, numbered without a gap; which have run stands
 * in the table `migrations`. They are plain SQL, which may be printed and run by somebody else. MySQL commits at every
 * statement that makes a table, so each of their statements may be made again.
 */
import { createHash } from 'node:crypto';
import { migrationsIn, type Migration } from '../migration-files.ts';
import { StoreError } from '../store.ts';
import { tablesOf } from './database.ts';
import type { SqlRow } from './driver.ts';
import { errorNumberOf, noSuchTable } from './errors.ts';
import { listOf } from './literal.ts';

/** A connection that nobody else uses meanwhile. */
export type Ask = (sql: string) => Promise<readonly SqlRow[]>;

export const defaultPrefix = 'everstep_';
const lockSeconds = 20;
const lockTries = 6;

/** With the tables' names as they begin there. */
function readMigrations(prefix: string): readonly Migration[] {
  return migrationsIn(new URL('./migrations/', import.meta.url)).map((migration) => ({
    ...migration,
    sql: migration.sql.replaceAll(`\`${defaultPrefix}`, `\`${prefix}`),
  }));
}

/** Of the tables, as this version makes them. */
export function newestForm(): number {
  return readMigrations(defaultPrefix).at(-1)?.version ?? 0;
}

/** What makes the tables from that form on, 0 = there are none, for the programs mysql and mariadb. */
export function migrationScript(prefix: string, from: number): string {
  return [
    `-- The tables of Everstep whose names begin with ${prefix}.`,
    `${tableOfMigrations(prefix)};`,
    ...readMigrations(prefix)
      .filter(({ version }) => version > from)
      .map(
        (migration) =>
          `\n-- ${migration.name}\n${migration.sql.trimEnd()}\n${noteOf(migration, prefix)};`,
      ),
    '',
  ].join('\n');
}

function tableOfMigrations(prefix: string): string {
  return `CREATE TABLE IF NOT EXISTS ${tablesOf(prefix).migrations} (
  version INT NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`;
}

function noteOf({ version, name }: Migration, prefix: string): string {
  return `INSERT IGNORE INTO ${tablesOf(prefix).migrations} (version, name) VALUES ${listOf([version, name])}`;
}

/**
 * Brings the tables up to date. Several processes may do this at the same time: the first one does it, the others
 * wait. Where nothing is to be done no right is needed to do it.
 */
export async function migrate(ask: Ask, prefix: string, description: string): Promise<void> {
  const newest = newestForm();
  const found = await versionOf(ask, prefix);
  if (found > newest) throw newerVersion(description, prefix, found, newest);
  if (found === newest) return;
  const lock = await lockName(ask, prefix);
  await takeLock(ask, lock, description);
  try {
    await ask(tableOfMigrations(prefix));
    for (const migration of readMigrations(prefix)) {
      if ((await versionOf(ask, prefix)) >= migration.version) continue;
      for (const statement of statementsOf(migration)) await ask(statement);
      await ask(noteOf(migration, prefix));
    }
  } finally {
    await ask(`SELECT RELEASE_LOCK('${lock}')`).catch(() => undefined);
  }
}

function statementsOf({ sql }: Migration): readonly string[] {
  return sql
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** Locks are the whole server's, so the name says of which tables. */
async function lockName(ask: Ask, prefix: string): Promise<string> {
  const [row] = await ask('SELECT database() AS name');
  const tables = `${String(row?.['name'])}.${prefix}`;
  return `everstep_${createHash('sha256').update(tables).digest('hex').slice(0, 40)}`;
}

async function takeLock(ask: Ask, lock: string, description: string): Promise<void> {
  for (let tries = 0; tries < lockTries; tries += 1) {
    const [row] = await ask(`SELECT GET_LOCK('${lock}', ${lockSeconds}) AS taken`);
    if (row?.['taken'] === 1) return;
  }
  throw new StoreError(
    'STORE_BUSY',
    `The tables of the ${description} are being made by another process, which has not finished in ${lockTries * lockSeconds} s. Look for a connection that holds the lock '${lock}', end it and try again.`,
  );
}

/** The form of the tables; 0 = there are none. */
export async function versionOf(ask: Ask, prefix: string): Promise<number> {
  try {
    const [row] = await ask(`SELECT max(version) AS version FROM ${tablesOf(prefix).migrations}`);
    return (row?.['version'] as number | null | undefined) ?? 0;
  } catch (cause) {
    if (errorNumberOf(cause) === noSuchTable) return 0;
    throw cause;
  }
}

function newerVersion(
  description: string,
  prefix: string,
  found: number,
  known: number,
): StoreError {
  return new StoreError(
    'STORE_NEWER_VERSION',
    `The ${description} has form ${found} of the tables ${prefix}…, and this version of Everstep knows forms up to ${known}. It was not touched: update Everstep, or choose other tables (?prefix=).`,
    { cause: { found, known } },
  );
}
