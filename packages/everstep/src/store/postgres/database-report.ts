/** What can be told of a database without changing it: for commands that only look. */
import { aheadMs } from '../sql-rows.ts';
import { sqlStateOf } from './errors.ts';
import { newestForm, quoted, versionOf, type Ask } from './migrations.ts';

export interface DatabaseReport {
  /** Of the server: `15.4`. */
  readonly version: string;
  readonly major: number;
  readonly oldestMajor: number;
  readonly encoding: string;
  readonly isReplica: boolean;
  readonly isReadOnly: boolean;
  /** Of a transaction that says nothing of it; a pooler may not pass on what the connection asks for. */
  readonly isolation: string;
  /** How far the server's clock is ahead of this process's. */
  readonly clockAheadMs: number;
  readonly user: string;
  /** Of the tables, 0 = there are none that this user can see; and the newest one known. */
  readonly form: number;
  readonly newestForm: number;
  /** What the user lacks to work there, or to make the tables where that is to be done: `UPDATE on runs`. */
  readonly missingRights: readonly string[];
}

export const oldestMajor = 14;

export async function reportOnDatabase(
  ask: Ask,
  schema: string,
  now: () => number,
): Promise<DatabaseReport> {
  const askedAt = now();
  const { rows } = await ask(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
       current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS is_replica,
       current_setting('transaction_read_only') AS read_only, current_user::text AS user_name,
       current_setting('transaction_isolation') AS isolation,
       (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock_ms`,
  );
  const answeredAt = now();
  const server = rows[0] ?? {};
  const { form, missingRights } = await tablesOf(ask, schema);
  return {
    version: String(server['version']),
    major: Math.floor(Number(server['number']) / 10_000),
    oldestMajor,
    encoding: String(server['encoding']),
    isReplica: server['is_replica'] === true,
    isReadOnly: server['read_only'] === 'on',
    isolation: String(server['isolation']),
    clockAheadMs: aheadMs(Number(server['clock_ms']), askedAt, answeredAt),
    user: String(server['user_name']),
    form,
    newestForm: newestForm(),
    missingRights,
  };
}

type Tables = Pick<DatabaseReport, 'form' | 'missingRights'>;

async function tablesOf(ask: Ask, schema: string): Promise<Tables> {
  const { rows } = await ask(
    `SELECT has_schema_privilege(oid, 'USAGE') AS usage, has_schema_privilege(oid, 'CREATE') AS makes
     FROM pg_namespace WHERE nspname = $1`,
    [schema],
  );
  const [found] = rows;
  if (found === undefined) {
    const database = await ask(
      `SELECT has_database_privilege(current_database(), 'CREATE') AS makes`,
    );
    const mayMake = database.rows[0]?.['makes'] === true;
    return { form: 0, missingRights: mayMake ? [] : ['CREATE on the database'] };
  }
  // What stands in the schema means nothing to a user without it.
  if (found['usage'] !== true) return { form: 0, missingRights: [`USAGE on the schema ${schema}`] };
  let form = 0;
  try {
    form = await versionOf(ask, schema);
  } catch (cause) {
    if (sqlStateOf(cause) !== '42501') throw cause;
    return { form, missingRights: await missingOn(ask, schema) };
  }
  if (form >= newestForm()) return { form, missingRights: await missingOn(ask, schema) };
  return { form, missingRights: found['makes'] === true ? [] : [`CREATE on the schema ${schema}`] };
}

/** On what is in the schema. */
async function missingOn(ask: Ask, schema: string): Promise<readonly string[]> {
  const missing = await ask(
    `SELECT needed || ' on ' || c.relname AS missing
     FROM pg_class c JOIN (VALUES ('r', 'SELECT'), ('r', 'INSERT'), ('r', 'UPDATE'), ('r', 'DELETE'), ('S', 'USAGE'))
       AS rights (kind, needed) ON c.relkind::text = kind
     WHERE c.relnamespace = to_regnamespace($1)
       AND (c.relname <> 'migrations' OR needed = 'SELECT')
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
       AND NOT CASE kind WHEN 'S' THEN has_sequence_privilege(c.oid, needed) ELSE has_table_privilege(c.oid, needed) END
     UNION ALL
     SELECT 'EXECUTE on ' || p.proname FROM pg_proc p
     WHERE p.pronamespace = to_regnamespace($1) AND NOT has_function_privilege(p.oid, 'EXECUTE')
     ORDER BY missing`,
    [quoted(schema)],
  );
  return missing.rows.map((row) => String(row['missing']));
}
