/** A database in which an application keeps its own tables beside Everstep's, and its transactions on it. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { loadDriver, type SqliteHandle } from '../../src/store/sqlite/driver.ts';
import { MysqlStore } from '../../src/store/mysql/mysql-store.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { AsyncTask, TransactionHandle } from '../../src/index.ts';
import type { MariaDbDatabase } from './shared-mariadb.ts';
import type { PostgresSchema } from './shared-postgres.ts';

const dyingSubmitter = fileURLToPath(new URL('./dying-submitter.ts', import.meta.url));

interface ApplicationTransaction {
  /** For `submit(…, { tx })`. */
  readonly tx: TransactionHandle;
  run(sql: string): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

export interface ApplicationDatabase {
  readonly store: string;
  /** Once the store has been opened there: makes the table `orders (id)`. */
  prepare(): Promise<void>;
  begin(): Promise<ApplicationTransaction>;
  /** Submits `{ n: 1 }` in a transaction, whose process dies then; to a server, whose connection is lost. */
  beginAndDie(task: AsyncTask<{ n: number }, number>, taskId: string): Promise<void>;
  /** A connection in a transaction of another database. */
  elsewhere(): Promise<TransactionHandle>;
  /** A connection in no transaction. */
  outside(): Promise<TransactionHandle>;
  orders(): Promise<readonly string[]>;
}

export const sqliteApplication = (): Promise<ApplicationDatabase> => {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'shop.db');
  const opened = async (file: string): Promise<SqliteHandle> => {
    const handle = (await loadDriver(file)).open(file);
    onTestFinished(() => {
      try {
        handle.close();
      } catch {
        // The test has closed it.
      }
    });
    handle.exec('PRAGMA busy_timeout = 5000');
    return handle;
  };
  return Promise.resolve({
    store: `sqlite:${path}`,
    prepare: async () => {
      (await opened(path)).exec('CREATE TABLE orders (id TEXT)');
    },
    begin: async () => {
      const handle = await opened(path);
      const run = (sql: string): Promise<void> => {
        handle.exec(sql);
        return Promise.resolve();
      };
      await run('BEGIN IMMEDIATE');
      return {
        tx: handle,
        run,
        commit: () => run('COMMIT'),
        rollback: () => run('ROLLBACK'),
      };
    },
    beginAndDie: async (_, taskId) => {
      const child = fork(dyingSubmitter, [path, taskId], { execArgv: ['--import', 'tsx'] });
      await new Promise((resolve, reject) => {
        child.once('message', resolve);
        child.once('exit', (code) => reject(new TypeError(`It ended with ${code}.`)));
      });
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
    elsewhere: async () => {
      const handle = await opened(join(folder, 'other.db'));
      handle.exec('BEGIN');
      return handle;
    },
    outside: () => opened(path),
    orders: async () => {
      const rows = (await opened(path)).prepare('SELECT id FROM orders ORDER BY id').all();
      return rows.map((row) => row['id'] as string);
    },
  });
};

export const postgresApplication = async (schema: PostgresSchema): Promise<ApplicationDatabase> => {
  const orders = `${schema.name}_orders`;
  const opened = async (): Promise<pg.PoolClient> => {
    const client = await schema.pool.connect();
    // Closed: what a test has left in it goes with it.
    onTestFinished(() => client.release(true));
    return client;
  };
  // Tests of one file share the schema.
  const store = new PostgresStore({ pool: schema.pool, schema: schema.name });
  await store.open();
  await schema.empty();
  await store.close();
  return {
    store: schema.url,
    prepare: async () => {
      await schema.query(`DROP TABLE IF EXISTS ${orders}; CREATE TABLE ${orders} (id text)`);
    },
    begin: async () => {
      const client = await opened();
      const run = async (sql: string): Promise<void> => {
        await client.query(sql.replace(' orders ', ` ${orders} `));
      };
      await run('BEGIN');
      return { tx: client, run, commit: () => run('COMMIT'), rollback: () => run('ROLLBACK') };
    },
    beginAndDie: async (task, taskId) => {
      const client = await opened();
      client.on('error', () => undefined);
      await client.query('BEGIN');
      await task.submit({ n: 1 }, { taskId, tx: client });
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await schema.query(`SELECT pg_terminate_backend(${rows[0]?.pid})`);
    },
    elsewhere: async () => {
      const url = new URL(schema.url);
      url.pathname = '/template1';
      const client = new pg.Client({ connectionString: String(url) });
      await client.connect();
      onTestFinished(() => client.end());
      await client.query('BEGIN');
      return client;
    },
    outside: opened,
    orders: async () => {
      const { rows } = await schema.query(`SELECT id FROM ${orders} ORDER BY id`);
      return rows.map((row) => row['id'] as string);
    },
  };
};

export const mariaDbApplication = async (
  database: MariaDbDatabase,
): Promise<ApplicationDatabase> => {
  const opened = async (at = database.url): Promise<mysql.Connection> => {
    const connection = await mysql.createConnection(at);
    connection.on('error', () => undefined);
    onTestFinished(() => connection.destroy());
    return connection;
  };
  // Tests of one file share the database.
  const store = new MysqlStore({ pool: database.pool });
  await store.open();
  await database.empty();
  await store.close();
  return {
    store: database.url,
    prepare: async () => {
      await database.query('DROP TABLE IF EXISTS orders; CREATE TABLE orders (id VARCHAR(40))');
    },
    begin: async () => {
      const connection = await opened();
      const run = async (sql: string): Promise<void> => {
        await connection.query(sql);
      };
      await run('BEGIN');
      return { tx: connection, run, commit: () => run('COMMIT'), rollback: () => run('ROLLBACK') };
    },
    beginAndDie: async (task, taskId) => {
      const connection = await opened();
      await connection.query('BEGIN');
      await task.submit({ n: 1 }, { taskId, tx: connection });
      await database.query(`KILL CONNECTION ${connection.threadId}`);
    },
    elsewhere: async () => {
      const url = new URL(database.url);
      url.pathname = '/mysql';
      const connection = await opened(url.href);
      await connection.query('BEGIN');
      return connection;
    },
    outside: () => opened(),
    orders: async () =>
      (await database.query('SELECT id FROM orders ORDER BY id')).map((row) => row['id'] as string),
  };
};
