/** One MariaDB for all test files of a run. */
import mysql from 'mysql2/promise';
import { afterAll, beforeAll } from 'vitest';
import { settingsOf } from '../../src/store/mysql/connection-settings.ts';
import { MysqlStore } from '../../src/store/mysql/mysql-store.ts';
import type { Store } from '../../src/store/store.ts';
import { MariaDbServer, mariaDbPrograms } from './mariadb-server.ts';
import {
  areDatabasesAsked,
  sharedServer,
  sharedServerFolder,
  startMsMax,
} from './shared-server.ts';

/** Why suites on MariaDB are left out, for their titles; undefined: they are not. */
export const mariaDbMissing: string | undefined =
  mariaDbPrograms() === undefined
    ? 'left out: MariaDB is not installed here'
    : areDatabasesAsked
      ? undefined
      : 'left out: npm run test:databases has it';

const kind = 'mariadb';

/** Stops what a run has started in its folder. */
export async function stopSharedMariaDb(folder: string): Promise<void> {
  const at = sharedServerFolder(folder, kind);
  if (at !== undefined) await MariaDbServer.at(at).remove();
}

/** Tables that a test may find filled. */
const tables = [
  'runs',
  'visibility',
  'history',
  'tasks',
  'outbox',
  'mail',
  'processes',
  'namespaces',
];

/** How the driver's pool tells what it is about: it has no other way. */
type PoolQueues = Readonly<
  Record<'_allConnections' | '_freeConnections' | '_connectionQueue', { readonly length: number }>
>;

/** A database of the file that calls this, on the run's server; made before its tests, and gone after them. */
export class MariaDbDatabase {
  readonly name: string;
  #url = '';
  #pool: mysql.Pool | undefined;

  constructor(name: string) {
    this.name = `${name}_${process.pid}`;
    beforeAll(async () => {
      const server = new URL(
        await sharedServer(kind, async () => {
          const started = await MariaDbServer.start();
          return { url: started.url(''), folder: started.folder };
        }),
      );
      const connection = await mysql.createConnection(server.href);
      await connection.query(`CREATE DATABASE ${this.name}`);
      await connection.end();
      server.pathname = `/${this.name}`;
      this.#url = server.href;
      this.#pool = mysql.createPool({
        uri: this.#url,
        connectionLimit: 8,
        multipleStatements: true,
      });
    }, 2 * startMsMax);
    afterAll(async () => {
      await this.query(`DROP DATABASE ${this.name}`);
      await this.#pool?.end();
    });
  }

  get url(): string {
    return this.#url;
  }

  get pool(): mysql.Pool {
    if (this.#pool === undefined) throw new TypeError('Only known once the tests run.');
    return this.#pool;
  }

  async query(sql: string): Promise<readonly Record<string, unknown>[]> {
    const [rows] = await this.pool.query(sql);
    return rows as Record<string, unknown>[];
  }

  /** With connections of its own, or on the pool of this file, which is quicker. */
  store(connections: 'own' | 'shared'): Store {
    return connections === 'own'
      ? new MysqlStore({ settings: settingsOf(this.url) })
      : new MysqlStore({ pool: this.pool });
  }

  /** Whether a connection of the pool of this file is at work. */
  isBusy(): boolean {
    const { pool } = this.pool as unknown as { readonly pool: PoolQueues };
    const { _allConnections: all, _freeConnections: free, _connectionQueue: waiting } = pool;
    return waiting.length > 0 || free.length < all.length;
  }

  /** Removes all rows. */
  async empty(): Promise<void> {
    await this.query(tables.map((table) => `DELETE FROM everstep_${table}`).join('; '));
  }
}
