/** What can be told of a database without changing it: for commands that only look. */
import { aheadMs } from '../sql-rows.ts';
import { tablesOf } from './database.ts';
import { isAccessDenied } from './errors.ts';
import { newestForm, versionOf, type Ask } from './migrations.ts';
import { reportOnServer, type ServerReport } from './server-report.ts';

export interface DatabaseReport extends ServerReport {
  /** How far the server's clock is ahead of this process's. */
  readonly clockAheadMs: number;
  readonly user: string;
  /** Of the tables, 0 = there are none that this user can see; and the newest one known. */
  readonly form: number;
  readonly newestForm: number;
  /** What the user lacks to work there, or to make the tables where that is to be done: `UPDATE on everstep_runs`. */
  readonly missingRights: readonly string[];
}

export async function reportOnDatabase(
  ask: Ask,
  prefix: string,
  now: () => number,
): Promise<DatabaseReport> {
  const server = await reportOnServer(ask);
  const askedAt = now();
  const [row] = await ask(
    'SELECT current_user() AS user_name, database() AS name, unix_timestamp(now(6)) * 1000 AS clock_ms',
  );
  const clockAheadMs = aheadMs(Number(row?.['clock_ms']), askedAt, now());
  const newest = newestForm();
  let form = 0;
  let missingRights: readonly string[] = [];
  try {
    form = await versionOf(ask, prefix);
    missingRights =
      form >= newest
        ? await missingOn(ask, prefix)
        : await missingToMake(ask, String(row?.['name']));
  } catch (cause) {
    if (!isAccessDenied(cause)) throw cause;
    // Of a table that it has no right to, a user is not told whether it is there.
    missingRights = [`SELECT on ${prefix}migrations`];
  }
  const user = String(row?.['user_name']);
  return { ...server, clockAheadMs, user, form, newestForm: newest, missingRights };
}

/** To explain a statement takes the rights that it takes itself, and changes nothing. */
async function missingOn(ask: Ask, prefix: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [name, table] of Object.entries(tablesOf(prefix))) {
    if (name === 'migrations') continue;
    const columns = await ask(`SHOW COLUMNS FROM ${table}`).catch((cause: unknown) => {
      if (!isAccessDenied(cause)) throw cause;
      return undefined;
    });
    const column = columns?.[0]?.['Field'];
    if (typeof column !== 'string') {
      missing.push(`SELECT, INSERT, UPDATE, DELETE on ${prefix}${name}`);
      continue;
    }
    const statements = {
      SELECT: `SELECT * FROM ${table}`,
      INSERT: `INSERT INTO ${table} SELECT * FROM ${table} WHERE FALSE`,
      UPDATE: `UPDATE ${table} SET ${column} = ${column} WHERE FALSE`,
      DELETE: `DELETE FROM ${table} WHERE FALSE`,
    };
    for (const [right, sql] of Object.entries(statements)) {
      try {
        await ask(`EXPLAIN ${sql}`);
      } catch (cause) {
        if (!isAccessDenied(cause)) throw cause;
        missing.push(`${right} on ${prefix}${name}`);
      }
    }
  }
  return missing;
}

/** Roles may give what is not said here; then making the tables will tell. */
async function missingToMake(ask: Ask, database: string): Promise<readonly string[]> {
  const grants = (await ask('SHOW GRANTS')).map((row) => String(Object.values(row)[0]));
  const hasRoles = grants.some((grant) => !/ ON /.test(grant));
  const mayMake = grants.some((grant) => {
    const [, rights = '', where = ''] = /^GRANT (.*?) ON (\S+\.\S+) TO/.exec(grant) ?? [];
    const name = where.replaceAll('`', '').replaceAll('\\_', '_').replaceAll('\\%', '%');
    return (
      /\bALL PRIVILEGES\b|\bCREATE\b(?! (?:USER|VIEW|ROUTINE|TEMPORARY|TABLESPACE|ROLE))/.test(
        rights,
      ) &&
      (name === '*.*' || patternOf(name.slice(0, -2)).test(database))
    );
  });
  return mayMake || hasRoles ? [] : [`CREATE on ${database}`];
}

/** Names of databases in grants may have the wildcards of LIKE. */
function patternOf(name: string): RegExp {
  const text = name
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${text}$`, 'i');
}
