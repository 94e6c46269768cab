/**
 * The store in PostgreSQL 14 or newer, for any number of processes on any number of machines. None of them is special
 * and none holds a lock for longer than a statement: versions keep them apart, as they do on a SQLite file.
 *
 * Read next: commit.ts (the write path), database.ts (lost answers), migrations/0001-initial.sql (the form).
 */
import { randomUUID } from 'node:crypto';
import { PostgresCommit } from './commit.ts';
import {
  checkedSchema,
  defaultSchema,
  driverSettingsOf,
  mayGoWithoutTls,
} from './connection-settings.ts';
import type { PostgresSettings } from './connection-settings.ts';
import { PostgresDatabase } from './database.ts';
import { oldestMajor, reportOnDatabase, type DatabaseReport } from './database-report.ts';
import { clientOf, giveBack, loadDriver, types } from './driver.ts';
import type { PostgresClient, PostgresDriver, PostgresPool } from './driver.ts';
import { storeErrorOf } from './errors.ts';
import { PostgresHints } from './hints.ts';
import { postgresGlance } from './glance.ts';
import { postgresHistory } from './history.ts';
import { JoinedTransactions, joinedFence, markSql } from './joined-transactions.ts';
import { postgresMail } from './mail.ts';
import { migrate, migrationScript } from './migrations.ts';
import type { Ask } from './migrations.ts';
import { postgresNamespaces } from './namespaces.ts';
import { postgresOutbox } from './outbox.ts';
import { postgresProcesses } from './processes.ts';
import { postgresRuns } from './runs.ts';
import { postgresTasks } from './tasks.ts';
import { postgresVisibility } from './visibility.ts';
import { StoreError } from '../store.ts';
import type {
  CommitGroup,
  CommitResult,
  Glance,
  GlanceRequest,
  JoinedStore,
  Store,
} from '../store.ts';

/** Connections that the store makes, or a pool of the package `pg` that stays the application's. */
export type PostgresStoreOptions =
  | { readonly settings: PostgresSettings }
  | { readonly pool: PostgresPool; readonly schema?: string | undefined };

/** Connections die while they lie idle; without a listener that would end the process. */
function ignore(): void {}

type Nouns = Omit<
  Store,
  | 'kind'
  | 'description'
  | 'failure'
  | 'open'
  | 'close'
  | 'commit'
  | 'joinTransaction'
  | 'isOpenIn'
  | 'glance'
  | 'hints'
>;

interface Connected {
  readonly pool: PostgresPool;
  readonly client: (() => PostgresClient) | undefined;
  readonly isOwn: boolean;
}

interface Opened {
  readonly db: PostgresDatabase;
  readonly commit: PostgresCommit;
  readonly glance: (request: GlanceRequest) => Promise<Glance>;
  readonly nouns: Nouns;
  readonly hints: PostgresHints;
  readonly joined: JoinedTransactions;
  /** Of the store's own, to be ended with it. */
  readonly pool: PostgresPool | undefined;
}

export class PostgresStore implements Store {
  readonly kind = 'postgres';
  readonly description: string;
  /** The database may come back at any time. */
  readonly failure = undefined;
  readonly schema: string;
  readonly #options: PostgresStoreOptions;
  #opened: Opened | undefined;

  constructor(options: PostgresStoreOptions) {
    this.#options = options;
    this.schema =
      'settings' in options
        ? options.settings.schema
        : checkedSchema(options.schema ?? defaultSchema);
    this.description = `PostgreSQL database ${'settings' in options ? nameOf(options.settings) : 'of the pool'}`;
  }

  async open(): Promise<void> {
    if (this.#opened !== undefined) {
      throw new StoreError('STORE_FAILED', `The ${this.description} is open already.`);
    }
    const made = await this.#connect();
    try {
      await this.#prepare(made.pool);
      const db = new PostgresDatabase(made.pool, this.schema, this.description);
      await db.write(
        `DELETE FROM ${db.schema}.fences WHERE created_at < now() - interval '7 days'`,
      );
      const channel = `everstep:${this.schema}`;
      const { schema, description } = db;
      const mark = await markOf(db);
      const joined = new JoinedTransactions({ schema, description, mark, channel });
      const hints = new PostgresHints({ connect: made.client, channel, sender: randomUUID() });
      await hints.start();
      const nouns: Nouns = {
        runs: postgresRuns(db),
        history: postgresHistory(db),
        tasks: postgresTasks(db),
        outbox: postgresOutbox(db),
        mail: postgresMail(db),
        processes: postgresProcesses(db),
        namespaces: postgresNamespaces(db),
        visibility: postgresVisibility(db),
      };
      const pool = made.isOwn ? made.pool : undefined;
      this.#opened = {
        db,
        commit: new PostgresCommit(db),
        glance: postgresGlance(db),
        nouns,
        hints,
        joined,
        pool,
      };
    } catch (cause) {
      await letGo(made);
      throw storeErrorOf(cause, this.description);
    }
  }

  /** The names of its namespaces, where nothing is to be made; undefined: there are no tables. Needs no open(). */
  async namespacesThere(): Promise<readonly string[] | undefined> {
    const made = await this.#connect();
    try {
      const db = new PostgresDatabase(made.pool, this.schema, this.description);
      const [found] = await db.read('SELECT to_regclass($1) IS NOT NULL AS is_there', [
        `${db.schema}.namespaces`,
      ]);
      if (found?.['is_there'] !== true) return undefined;
      return (await postgresNamespaces(db).list()).map(({ name }) => name);
    } finally {
      await letGo(made);
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    await opened.hints.close();
    await opened.db.close();
    if ('pool' in this.#options) this.#options.pool.off('error', ignore);
    await opened.pool?.end().catch(() => undefined);
  }

  async glance(request: GlanceRequest): Promise<Glance> {
    return this.#open().glance(request);
  }

  commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    try {
      return this.#open().commit.commit(groups);
    } catch (cause) {
      return Promise.reject(storeErrorOf(cause, this.description));
    }
  }

  joinTransaction({ transaction }: { readonly transaction: unknown }): Promise<JoinedStore> {
    try {
      return this.#open().joined.join(transaction);
    } catch (cause) {
      return Promise.reject(storeErrorOf(cause, this.description));
    }
  }

  get runs(): Store['runs'] {
    return this.#open().nouns.runs;
  }
  get history(): Store['history'] {
    return this.#open().nouns.history;
  }
  get tasks(): Store['tasks'] {
    return this.#open().nouns.tasks;
  }
  get outbox(): Store['outbox'] {
    return this.#open().nouns.outbox;
  }
  get mail(): Store['mail'] {
    return this.#open().nouns.mail;
  }
  get processes(): Store['processes'] {
    return this.#open().nouns.processes;
  }
  get namespaces(): Store['namespaces'] {
    return this.#open().nouns.namespaces;
  }
  get visibility(): Store['visibility'] {
    return this.#open().nouns.visibility;
  }
  get hints(): Store['hints'] {
    return this.#open().hints;
  }
  /** What there is, without a change to it; the store need not be open. @throws StoreError where it cannot be asked. */
  async report(now: () => number): Promise<DatabaseReport> {
    const made = await this.#connect();
    try {
      return await onClient(made.pool, (ask) => reportOnDatabase(ask, this.schema, now));
    } catch (cause) {
      throw storeErrorOf(cause, this.description);
    } finally {
      await letGo(made);
    }
  }

  /** SQL for psql that makes the tables from that form on, 0 = there are none. */
  migrationScript(from: number): string {
    return migrationScript(this.schema, from);
  }
  /** Round trips since it was opened, for measurements. */
  get queries(): number {
    const { db, hints } = this.#open();
    return db.queries + hints.queries;
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    throw new StoreError(
      'STORE_CLOSED',
      `The ${this.description} is not open. Call open() and wait for it before using the store.`,
    );
  }

  async #connect(): Promise<Connected> {
    if ('pool' in this.#options) {
      const { pool } = this.#options;
      pool.on('error', ignore);
      return { pool, client: likeThoseOf(pool), isOwn: false };
    }
    const { settings } = this.#options;
    const driver = await loadDriver(this.description);
    const withTls = await this.#serverHasTls(driver, settings);
    const driverSettings = driverSettingsOf(settings, withTls);
    const pool = new driver.Pool({ ...driverSettings, max: settings.connections });
    pool.on('error', ignore);
    return { pool, client: () => new driver.Client(driverSettings), isOwn: true };
  }

  /** Asked only for an sslmode to which both will do. */
  async #serverHasTls(driver: PostgresDriver, settings: PostgresSettings): Promise<boolean> {
    if (!mayGoWithoutTls(settings)) return true;
    const client = new driver.Client(driverSettingsOf(settings));
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch (cause) {
      if (/does not support SSL/i.test(String(cause))) return false;
      throw storeErrorOf(cause, this.description);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Looks whether the server will do, and makes the tables. */
  async #prepare(pool: PostgresPool): Promise<void> {
    await onClient(pool, async (ask) => {
      const { rows } = await ask(
        `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
           pg_is_in_recovery() AS is_replica, current_setting('transaction_read_only') AS read_only`,
      );
      this.#check(rows[0] ?? {});
      await migrate(ask, this.schema, this.description);
    });
  }

  #check(server: Readonly<Record<string, unknown>>): void {
    const version = server['version'] as number;
    if (Math.floor(version / 10_000) < oldestMajor) {
      throw new StoreError(
        'STORE_FAILED',
        `The ${this.description} is PostgreSQL ${Math.floor(version / 10_000)}, and Everstep needs ${oldestMajor} or newer. Update the server.`,
      );
    }
    if (server['encoding'] !== 'UTF8') {
      throw new StoreError(
        'STORE_FAILED',
        `The ${this.description} has the encoding ${String(server['encoding'])}, which cannot keep every id. Create it with ENCODING 'UTF8'.`,
      );
    }
    if (server['is_replica'] === true || server['read_only'] === 'on') {
      throw new StoreError(
        'STORE_NOT_WRITABLE',
        `The ${this.description} ${server['is_replica'] === true ? 'is a replica' : 'is read-only'}. Name the primary, and let default_transaction_read_only be off.`,
      );
    }
  }
}

/** Made by whichever process comes first, so far ahead that it is never too old. */
async function markOf(db: PostgresDatabase): Promise<string> {
  await db.write(
    `INSERT INTO ${db.schema}.fences (fence, created_at) OVERRIDING SYSTEM VALUE
     VALUES ($1, timestamptz '4000-01-01' + random() * interval '1000000 days') ON CONFLICT DO NOTHING`,
    [joinedFence],
  );
  const [row] = await db.read(markSql(db.schema), [joinedFence]);
  return row?.['mark'] as string;
}

async function letGo({ pool, isOwn }: Connected): Promise<void> {
  if (isOwn) await pool.end().catch(() => undefined);
  else pool.off('error', ignore);
}

/** Asks on one connection, which goes with what it was asked if that failed. */
async function onClient<T>(pool: PostgresPool, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client = await clientOf(pool);
  let broken = true;
  try {
    const result = await work((text, values) =>
      client.query({ text, types, ...(values === undefined ? {} : { values }) }),
    );
    broken = false;
    return result;
  } finally {
    giveBack(client, broken);
  }
}

/** Another connection like those of the pool, but not of it: one that listens is never given back. */
function likeThoseOf(pool: PostgresPool): (() => PostgresClient) | undefined {
  const { Client, options } = pool as {
    readonly Client?: PostgresDriver['Client'];
    readonly options?: object;
  };
  return Client && options ? () => new Client(options) : undefined;
}

/** For people, without user and password. */
function nameOf({ host, port, database, schema }: PostgresSettings): string {
  const { PGHOST, PGPORT, PGDATABASE } = process.env;
  const where = host ?? PGHOST ?? 'localhost';
  const at = port ?? PGPORT;
  const name = database ?? PGDATABASE ?? '';
  const place = where.startsWith('/')
    ? `at ${where}`
    : `on ${where}${at === undefined ? '' : `:${at}`}`;
  return `${name === '' ? '' : `${name} `}${place}${schema === defaultSchema ? '' : `, schema ${schema}`}`;
}
