/**
 * The form of the tables. Migrations are the .sql files beside this one, numbered without a gap; which have run stands
 * in the table `migrations` of the schema. They are plain SQL for a search_path of that schema, so that they can be
 * printed and run by somebody else.
 */
import { migrationsIn, type Migration } from '../migration-files.ts';
import { StoreError } from '../store.ts';
import type { PostgresResult, SqlValue } from './driver.ts';

/** A connection that nobody else uses meanwhile. */
export type Ask = (text: string, values?: readonly SqlValue[]) => Promise<PostgresResult>;

function readMigrations(): readonly Migration[] {
  return migrationsIn(new URL('./migrations/', import.meta.url));
}

/** Of the tables, as this version makes them. */
export function newestForm(): number {
  return readMigrations().at(-1)?.version ?? 0;
}

/** What makes the tables from that form on, 0 = there are none, for psql. */
export function migrationScript(schema: string, from: number): string {
  const name = quoted(schema);
  return [
    `-- The tables of Everstep in the schema ${name}.`,
    'BEGIN;',
    `CREATE SCHEMA IF NOT EXISTS ${name};`,
    `SET LOCAL search_path TO ${name};`,
    `${tableOfMigrations};`,
    ...readMigrations()
      .filter(({ version }) => version > from)
      .map(
        ({ version, name: file, sql }) =>
          `\n-- ${file}\n${sql}\nINSERT INTO migrations (version, name) VALUES (${version}, '${file}');`,
      ),
    'COMMIT;',
    '',
  ].join('\n');
}

const tableOfMigrations = `CREATE TABLE IF NOT EXISTS migrations (
  version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;

/**
 * Brings the tables up to date, one transaction a migration. Several processes may do this at the same time: the
 * first one does it, the others wait. Where nothing is to be done no right is needed to do it.
 */
export async function migrate(ask: Ask, schema: string, description: string): Promise<void> {
  const newest = newestForm();
  const found = await versionOf(ask, schema);
  if (found > newest) throw newerVersion(description, schema, found, newest);
  if (found === newest) return;
  for (const migration of readMigrations()) await run(ask, schema, migration);
}

async function run(ask: Ask, schema: string, { version, name, sql }: Migration): Promise<void> {
  await ask('BEGIN');
  try {
    await ask(`SELECT pg_advisory_xact_lock(hashtext('everstep migrate'), hashtext($1))`, [schema]);
    if ((await versionOf(ask, schema)) < version) {
      const { rows } = await ask('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
      if (rows.length === 0) await ask(`CREATE SCHEMA ${quoted(schema)}`);
      await ask(`SET LOCAL search_path TO ${quoted(schema)}`);
      await ask(tableOfMigrations);
      await ask(sql);
      await ask('INSERT INTO migrations (version, name) VALUES ($1, $2)', [version, name]);
    }
    await ask('COMMIT');
  } catch (cause) {
    await ask('ROLLBACK').catch(() => undefined);
    throw cause;
  }
}

/**
 * The form of the tables; 0 = there are none. Asked of the catalogue's own tables: to_regclass answers from a cache,
 * which after a wait for the lock does not know yet what another process has made.
 */
export async function versionOf(ask: Ask, schema: string): Promise<number> {
  const { rows } = await ask(
    `SELECT 1 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'migrations'`,
    [schema],
  );
  if (rows.length === 0) return 0;
  const result = await ask(`SELECT max(version) AS version FROM ${quoted(schema)}.migrations`);
  return (result.rows[0]?.['version'] as number | null) ?? 0;
}

function newerVersion(
  description: string,
  schema: string,
  found: number,
  known: number,
): StoreError {
  return new StoreError(
    'STORE_NEWER_VERSION',
    `The ${description} has form ${found} in the schema ${schema}, and this version of Everstep knows forms up to ${known}. It was not touched: update Everstep, or choose another schema (?schema=).`,
    { cause: { found, known } },
  );
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
