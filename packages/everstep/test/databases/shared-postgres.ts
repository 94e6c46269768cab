/** One PostgreSQL for all test files of a run. */
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { settingsOf } from '../../src/store/postgres/connection-settings.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { postgresPrograms, PostgresServer } from './postgres-server.ts';
import {
  areDatabasesAsked,
  sharedServer,
  sharedServerFolder,
  startMsMax,
} from './shared-server.ts';

/** Why suites on PostgreSQL are left out, for their titles; undefined: they are not. */
export const postgresMissing: string | undefined =
  postgresPrograms() === undefined
    ? 'left out: PostgreSQL is not installed here'
    : areDatabasesAsked
      ? undefined
      : 'left out: npm run test:databases has it';

const kind = 'postgres';

/** The URL of the run's server. */
export function sharedPostgres(): Promise<string> {
  return sharedServer(kind, async () => {
    const server = await PostgresServer.start();
    return { url: server.url(), folder: server.folder };
  });
}

/** Stops what a run has started in its folder. */
export function stopSharedPostgres(folder: string): void {
  const at = sharedServerFolder(folder, kind);
  if (at !== undefined) PostgresServer.at(at).remove();
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
  'namespace_numbers',
];

/** A schema of the file that calls this, on the run's server; made before its tests, and gone after them. */
export class PostgresSchema {
  readonly name: string;
  #url = '';
  #pool: pg.Pool | undefined;

  constructor(name: string) {
    this.name = `${name}_${process.pid}`;
    beforeAll(async () => {
      this.#url = await sharedPostgres();
      this.#pool = new pg.Pool({ connectionString: this.#url, max: 8 });
    }, 2 * startMsMax);
    afterAll(async () => {
      await this.query(`DROP SCHEMA IF EXISTS ${this.name} CASCADE`);
      await this.#pool?.end();
    });
  }

  get url(): string {
    return `${this.#url}?schema=${this.name}`;
  }

  get pool(): pg.Pool {
    if (this.#pool === undefined) throw new TypeError('Only known once the tests run.');
    return this.#pool;
  }

  query(sql: string): Promise<pg.QueryResult<Record<string, unknown>>> {
    return this.pool.query(sql);
  }

  /** With connections of its own, or on the pool of this file, which is quicker. */
  store(connections: 'own' | 'shared'): Store {
    return connections === 'own'
      ? new PostgresStore({ settings: settingsOf(this.url) })
      : new PostgresStore({ pool: this.pool, schema: this.name });
  }

  /** Whether a client of the pool of this file is at work. */
  isBusy(): boolean {
    const { totalCount, idleCount, waitingCount } = this.pool;
    return waitingCount > 0 || idleCount < totalCount;
  }

  /** Removes all rows. */
  async empty(): Promise<void> {
    await this.query(tables.map((table) => `DELETE FROM ${this.name}.${table}`).join('; '));
  }
}
