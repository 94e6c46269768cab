/** A PostgreSQL of its own, and a schema for each round; what befalls the database befalls the whole server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { settingsOf } from '../../src/store/postgres/connection-settings.ts';
import { newestForm } from '../../src/store/postgres/migrations.ts';
import { PostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Chance } from '../chance.ts';
import { PostgresServer } from '../databases/postgres-server.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import {
  databaseFaults,
  isOfWal,
  killpoints,
  migrationPlaces,
  type DatabaseFault,
  type Failpoint,
} from './failpoints.ts';
import type { Ground, Site } from './ground.ts';
import { passed } from './pause.ts';
import { nextForm, readStore, type StoredFile } from './stored-tasks.ts';

const attackMsMax = 30_000;
const deadlockDetected = '40P01';
/** So that rings of locks are found while they are there. */
const settings = ['deadlock_timeout = 20ms'];
const processes = `application_name = 'everstep' AND pid <> pg_backend_pid()`;

export class PostgresGround implements Ground {
  /** Checkpoints are the server's: stopping it is their failpoint. */
  readonly failpoints: readonly Failpoint[] = [
    ...killpoints.filter((name) => name !== 'during-checkpoint'),
    ...databaseFaults,
  ];
  readonly migrationPlaces = migrationPlaces.filter((place) => !isOfWal(place));
  #starting: Promise<PostgresServer> | undefined;
  #rounds = 0;

  async prepare(_folder: string, kills: readonly Failpoint[]): Promise<Site> {
    this.#starting ??= PostgresServer.start({ durable: true, settings });
    const server = await this.#starting;
    this.#rounds += 1;
    const schema = `round_${this.#rounds}`;
    if (!kills.includes('answer-lost')) return new PostgresSite(server, schema);
    const proxy = new CuttingProxy(server.port, (sent) => sent.includes('commit_1($1'));
    return new PostgresSite(server, schema, proxy, await proxy.listen());
  }

  async close(): Promise<void> {
    (await this.#starting)?.remove();
  }
}

class PostgresSite implements Site {
  readonly store: string;
  readonly #server: PostgresServer;
  readonly #schema: string;
  readonly #proxy: CuttingProxy | undefined;

  constructor(server: PostgresServer, schema: string, proxy?: CuttingProxy, port = server.port) {
    this.#server = server;
    this.#schema = schema;
    this.#proxy = proxy;
    const url = new URL(server.url(`?schema=${schema}`));
    url.port = String(port);
    this.store = url.href;
  }

  async suffer(fault: DatabaseFault, chance: Chance): Promise<string | undefined> {
    switch (fault) {
      case 'server-stopped':
        this.#server.end('immediate');
        await pause(chance.whole(0, 500));
        this.#server.begin();
        return undefined;
      case 'server-away':
        this.#server.end('fast');
        await pause(chance.whole(2_000, 6_000));
        this.#server.begin();
        return undefined;
      case 'backends-terminated':
        return this.#asAdmin((admin) => terminate(admin, chance));
      case 'deadlock':
        return this.#asAdmin((admin) => this.#deadlock(admin));
      case 'lock-timeout':
        return this.#asAdmin((admin) => this.#holdLocks(admin, chance));
      case 'answer-lost':
        return this.#loseAnswers(chance);
    }
  }

  async #asAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
    const admin = new pg.Client({ connectionString: this.#server.url() });
    admin.on('error', () => undefined);
    await admin.connect();
    try {
      // Whoever is undone in a ring of locks, it is seldom this one.
      await admin.query(
        `SET deadlock_timeout = '500ms'; SET lock_timeout = 0; SET search_path TO ${this.#schema}`,
      );
      return await work(admin);
    } finally {
      await admin.end().catch(() => undefined);
    }
  }

  /** A commit that waits for `history` has its runs; whoever has `history` and wants those closes the ring. */
  async #deadlock(admin: pg.Client): Promise<string | undefined> {
    const before = this.#logged('deadlock detected');
    let own = 0;
    for (const until = performance.now() + attackMsMax; performance.now() < until;) {
      // A commit looks for a ring once, after 20 ms: one that is closed later is broken here.
      const ring = 'BEGIN; LOCK TABLE history IN SHARE MODE; SELECT 1 FROM runs FOR UPDATE; COMMIT';
      await admin.query(ring).catch(async (error: { readonly code?: string }) => {
        if (error.code !== deadlockDetected) throw error;
        own += 1;
        await admin.query('ROLLBACK');
      });
      if (this.#logged('deadlock detected') > before + own) return undefined;
      await pause(5);
    }
    return 'no commit was in a ring of locks';
  }

  async #holdLocks(admin: pg.Client, chance: Chance): Promise<string | undefined> {
    const timeouts = 'canceling statement due to lock timeout';
    const before = this.#logged(timeouts);
    // It is read when a connection is made.
    const renew = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE ${processes}`;
    await admin.query(`ALTER ROLE everstep SET lock_timeout = '40ms'; ${renew}`);
    try {
      for (const until = performance.now() + attackMsMax; performance.now() < until;) {
        await admin.query('BEGIN; LOCK TABLE history IN SHARE MODE');
        await pause(chance.whole(50, 400));
        await admin.query('COMMIT');
        if (this.#logged(timeouts) > before) return undefined;
      }
      return 'nobody waited too long for a lock';
    } finally {
      await admin.query(`ALTER ROLE everstep RESET lock_timeout; ${renew}`);
    }
  }

  async #loseAnswers(chance: Chance): Promise<string | undefined> {
    const proxy = this.#proxy;
    if (proxy === undefined)
      throw new TypeError('The round was to have a proxy before its database');
    const lost = await passed(proxy.cut(chance.whole(1, 8), chance), attackMsMax);
    proxy.rest();
    return lost === 'late' ? 'there were no commits whose answers could be lost' : undefined;
  }

  /** How often the server has said that. */
  #logged(said: string): number {
    return readFileSync(join(this.#server.folder, 'log'), 'utf8').split(said).length - 1;
  }

  async read(stopped: boolean): Promise<StoredFile> {
    const problems = await this.#asAdmin(async (admin) => [
      ...(await strayProblems(admin)),
      ...(await nextFormProblems(admin)),
    ]);
    const url = this.#server.url(`?schema=${this.#schema}`);
    const stored = await readStore(new PostgresStore({ settings: settingsOf(url) }), stopped);
    return { ...stored, problems: [...problems, ...stored.problems] };
  }

  async remove(): Promise<void> {
    await this.#proxy?.close();
    await this.#asAdmin((admin) => admin.query(`DROP SCHEMA ${this.#schema} CASCADE`));
  }
}

/** A part of the connections, some times. */
async function terminate(admin: pg.Client, chance: Chance): Promise<string | undefined> {
  let ended = 0;
  for (let times = chance.whole(2, 6); times > 0; times -= 1) {
    const { rowCount } = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${processes} AND random() < $1`,
      [chance.next()],
    );
    ended += rowCount ?? 0;
    await pause(chance.whole(0, 150));
  }
  if (ended > 0) return undefined;
  const { rowCount } = await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${processes}`,
  );
  return (rowCount ?? 0) > 0 ? undefined : 'nobody was connected';
}

/** What belongs together and is not. */
async function strayProblems(admin: pg.Client): Promise<string[]> {
  const { rows } = await admin.query<{ readonly what: string; readonly count: string }>(`
    SELECT 'runs without a visibility row, or the reverse' AS what, count(*)
      FROM runs r FULL JOIN visibility v ON v.ref = r.ref WHERE r.ref IS NULL OR v.ref IS NULL
    UNION ALL SELECT 'batches of history of no run', count(*)
      FROM history h LEFT JOIN runs r ON r.ref = h.ref WHERE r.ref IS NULL
    UNION ALL SELECT 'tasks of no run', count(*)
      FROM tasks t LEFT JOIN runs r ON r.ref = t.ref WHERE r.ref IS NULL
    UNION ALL SELECT 'messages of no run', count(*)
      FROM outbox o LEFT JOIN runs r ON r.ref = o.ref WHERE r.ref IS NULL
    UNION ALL SELECT 'gaps in histories', count(*) FROM (
      SELECT first_event_id, lag(next_event_id, 1, 1::bigint) OVER (PARTITION BY ref ORDER BY first_event_id) AS due
      FROM history) AS batches WHERE first_event_id <> due`);
  return rows
    .filter(({ count }) => Number(count) > 0)
    .map(({ what, count }) => `integrity: ${count} ${what}`);
}

/** As of a SQLite file: the judge would refuse a newer form, which has all it knows and more. */
async function nextFormProblems(admin: pg.Client): Promise<string[]> {
  const number = async (sql: string): Promise<number> => {
    const { rows } = await admin.query<{ readonly value: string }>(sql);
    return Number(rows[0]?.value);
  };
  const form = await number('SELECT max(version) AS value FROM migrations');
  if (form === newestForm()) return [];
  if (form !== nextForm) return [`the tables have form ${form}`];
  const strays = await number(
    `SELECT count(*) AS value FROM next_form n LEFT JOIN runs r ON r.ref = n.ref
     WHERE r.ref IS NULL OR r.version < n.version`,
  );
  const unfilled = await number(
    `SELECT count(*) AS value FROM next_form n JOIN runs r ON r.ref = n.ref WHERE r.state_bytes = 0`,
  );
  await admin.query(`DELETE FROM migrations WHERE version = ${nextForm}`);
  return [
    ...(strays === 0 ? [] : [`lost: ${strays} runs are older than when the tables were migrated`]),
    ...(unfilled === 0 ? [] : [`${unfilled} runs have no size after the migration`]),
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
