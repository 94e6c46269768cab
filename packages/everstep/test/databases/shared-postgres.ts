/** One PostgreSQL for all test files of a run: started by the first that needs it, stopped with the run. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { settingsOf } from '../../src/store/postgres/connection-settings.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { postgresPrograms, PostgresServer } from './postgres-server.ts';

/** The environment variable that names the folder of the run. */
export const sharedFolder = 'EVERSTEP_TEST_DATABASES';

/** Why suites on PostgreSQL are left out, for their titles; undefined: they are not. */
export const postgresMissing: string | undefined =
  postgresPrograms() === undefined ? 'left out: PostgreSQL is not installed here' : undefined;

const startMsMax = 60_000;

/** The URL of the run's server. */
async function sharedPostgres(): Promise<string> {
  const folder = process.env[sharedFolder];
  if (folder === undefined) throw new TypeError(`${sharedFolder} is not set: no global setup ran.`);
  const note = join(folder, 'postgres.json');
  try {
    mkdirSync(join(folder, 'postgres'));
  } catch {
    for (let waited = 0; !existsSync(note); waited += 50) {
      if (waited > startMsMax) throw new TypeError('The PostgreSQL of this run did not start.');
      await setTimeout(50);
    }
    return (JSON.parse(readFileSync(note, 'utf8')) as { url: string }).url;
  }
  const server = await PostgresServer.start();
  writeFileSync(`${note}.new`, JSON.stringify({ url: server.url(), folder: server.folder }));
  renameSync(`${note}.new`, note);
  return server.url();
}

/** Stops what a run has started in its folder. */
export function stopShared(folder: string): void {
  const note = join(folder, 'postgres.json');
  if (!existsSync(note)) return;
  PostgresServer.at((JSON.parse(readFileSync(note, 'utf8')) as { folder: string }).folder).remove();
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
      // A machine that has much else to do takes its time for initdb.
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
