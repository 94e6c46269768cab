/**
 * The store in MySQL 8 or MariaDB 10.6, or newer, for any number of processes on any number of machines. None of them
 * is special and none holds a lock for longer than a packet: versions keep them apart, as they do on a SQLite file.
 *
 * Read next: commit-packet.ts (the write path), database.ts (transactions), migrations/0001-initial.sql (the form).
 */
import { StoreError } from '../store.ts';
import type { CommitGroup, CommitResult, JoinedStore, Store } from '../store.ts';
import { MysqlCommit } from './commit.ts';
import { checkedPrefix, driverSettingsOf, mayGoWithoutTls } from './connection-settings.ts';
import type { MysqlSettings } from './connection-settings.ts';
import { MysqlDatabase } from './database.ts';
import { reportOnDatabase, type DatabaseReport } from './database-report.ts';
import { ask, loadDriver, ownPool, promisePool } from './driver.ts';
import type {
  MysqlCallbackPool,
  MysqlConnection,
  MysqlDriver,
  MysqlPool,
  SqlRow,
} from './driver.ts';
import { storeErrorOf } from './errors.ts';
import { MysqlHints } from './hints.ts';
import { mysqlHistory } from './history.ts';
import { JoinedTransactions, markOf } from './joined-transactions.ts';
import { listOf } from './literal.ts';
import { mysqlMail } from './mail.ts';
import { defaultPrefix, migrate, migrationScript, versionOf } from './migrations.ts';
import type { Ask } from './migrations.ts';
import { mysqlNamespaces } from './namespaces.ts';
import { mysqlOutbox } from './outbox.ts';
import { mysqlProcesses } from './processes.ts';
import { mysqlRuns } from './runs.ts';
import { problemOf, reportOnServer } from './server-report.ts';
import { mysqlTasks } from './tasks.ts';
import { mysqlVisibility } from './visibility.ts';

/** Connections that the store makes, or a pool of the package `mysql2` that stays the application's. */
export type MysqlStoreOptions =
  | { readonly settings: MysqlSettings }
  | { readonly pool: MysqlPool | MysqlCallbackPool; readonly prefix?: string | undefined };

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
  | 'hints'
>;

interface Connected {
  readonly pool: MysqlPool;
  readonly isOwn: boolean;
}

interface Opened {
  readonly db: MysqlDatabase;
  readonly commit: MysqlCommit;
  readonly nouns: Nouns;
  readonly hints: MysqlHints;
  readonly joined: JoinedTransactions;
  /** Of the store's own, to be ended with it. */
  readonly pool: MysqlPool | undefined;
}

export class MysqlStore implements Store {
  readonly kind = 'mysql';
  readonly description: string;
  /** The database may come back at any time. */
  readonly failure = undefined;
  readonly prefix: string;
  readonly #options: MysqlStoreOptions;
  #opened: Opened | undefined;

  constructor(options: MysqlStoreOptions) {
    this.#options = options;
    this.prefix =
      'settings' in options
        ? options.settings.prefix
        : checkedPrefix(options.prefix ?? defaultPrefix);
    this.description = `MySQL database ${'settings' in options ? nameOf(options.settings) : 'of the pool'}`;
  }

  async open(): Promise<void> {
    if (this.#opened !== undefined) {
      throw new StoreError('STORE_FAILED', `The ${this.description} is open already.`);
    }
    const made = await this.#connect();
    try {
      const { packetBytesMax } = await this.#prepare(made.pool);
      const db = this.#database(made.pool, packetBytesMax);
      const { hints: table } = db.tables;
      await deleteOldFences(db);
      const hints = new MysqlHints({
        ring: async () => {
          const sql = `UPDATE ${table} SET rung = LAST_INSERT_ID(rung + 1) WHERE one = 1`;
          return (await db.once(sql)).insertId;
        },
        read: async () => {
          const [row] = await db.read(`SELECT rung FROM ${table} WHERE one = 1`);
          return row?.['rung'] as number;
        },
      });
      await hints.start();
      const mark = await markOf(db);
      const joined = new JoinedTransactions({ db, mark, ring: () => hints.ringAll() });
      const nouns: Nouns = {
        runs: mysqlRuns(db),
        history: mysqlHistory(db),
        tasks: mysqlTasks(db),
        outbox: mysqlOutbox(db),
        mail: mysqlMail(db),
        processes: mysqlProcesses(db),
        namespaces: mysqlNamespaces(db),
        visibility: mysqlVisibility(db),
      };
      const pool = made.isOwn ? made.pool : undefined;
      this.#opened = { db, commit: new MysqlCommit(db), nouns, hints, joined, pool };
    } catch (cause) {
      await letGo(made);
      throw storeErrorOf(cause, this.description);
    }
  }

  /** The names of its namespaces, where nothing is to be made; undefined: there are no tables. Needs no open(). */
  async namespacesThere(): Promise<readonly string[] | undefined> {
    const made = await this.#connect();
    try {
      if ((await onConnection(made.pool, (asks) => versionOf(asks, this.prefix))) === 0) {
        return undefined;
      }
      const db = this.#database(made.pool, Infinity);
      return (await mysqlNamespaces(db).list()).map(({ name }) => name);
    } catch (cause) {
      throw storeErrorOf(cause, this.description);
    } finally {
      await letGo(made);
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    opened.joined.close();
    await opened.hints.close();
    await opened.db.close();
    await opened.pool?.end().catch(() => undefined);
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
      return await onConnection(made.pool, (asks) => reportOnDatabase(asks, this.prefix, now));
    } catch (cause) {
      throw storeErrorOf(cause, this.description);
    } finally {
      await letGo(made);
    }
  }

  /** SQL for the programs mysql and mariadb that makes the tables from that form on, 0 = there are none. */
  migrationScript(from: number): string {
    return migrationScript(this.prefix, from);
  }
  /** Round trips since it was opened, for measurements. */
  get queries(): number {
    return this.#open().db.queries;
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    throw new StoreError(
      'STORE_CLOSED',
      `The ${this.description} is not open. Call open() and wait for it before using the store.`,
    );
  }

  #database(pool: MysqlPool, packetBytesMax: number): MysqlDatabase {
    const { prefix, description } = this;
    return new MysqlDatabase({ pool, prefix, description, packetBytesMax });
  }

  async #connect(): Promise<Connected> {
    if ('pool' in this.#options) return { pool: promisePool(this.#options.pool), isOwn: false };
    const { settings } = this.#options;
    const driver = await loadDriver(this.description);
    const withTls = await this.#serverHasTls(driver, settings);
    const pool = ownPool(driver, {
      ...driverSettingsOf(settings, withTls),
      connectionLimit: settings.connections,
    });
    return { pool, isOwn: true };
  }

  /** Asked only for an ssl-mode to which both will do. */
  async #serverHasTls(driver: MysqlDriver, settings: MysqlSettings): Promise<boolean> {
    if (!mayGoWithoutTls(settings)) return true;
    const pool = ownPool(driver, { ...driverSettingsOf(settings), connectionLimit: 1 });
    try {
      ((await pool.getConnection()) as MysqlConnection).release();
      return true;
    } catch (cause) {
      if ((cause as { code?: unknown }).code === 'HANDSHAKE_NO_SSL_SUPPORT') return false;
      throw storeErrorOf(cause, this.description);
    } finally {
      await pool.end().catch(() => undefined);
    }
  }

  /** Looks whether the server will do, and makes the tables. */
  #prepare(pool: MysqlPool): Promise<{ readonly packetBytesMax: number }> {
    return onConnection(pool, async (asks) => {
      const report = await reportOnServer(asks);
      const problem = problemOf(report);
      if (problem) {
        throw new StoreError(
          problem.code,
          `The ${this.description} ${problem.says}. ${problem.fix}.`,
        );
      }
      await migrate(asks, this.prefix, this.description);
      return report;
    });
  }
}

/** Found first and deleted by their numbers: whoever deletes by age waits for every commit that is under way. */
async function deleteOldFences(db: MysqlDatabase): Promise<void> {
  const { fences } = db.tables;
  const old = await db.read(
    `SELECT fence FROM ${fences} WHERE created_at < now() - INTERVAL 7 DAY LIMIT 1000`,
  );
  if (old.length === 0) return;
  const numbers = old.map((row) => row['fence'] as number);
  await db.write(`DELETE FROM ${fences} WHERE fence IN ${listOf(numbers)}`);
}

async function letGo({ pool, isOwn }: Connected): Promise<void> {
  if (isOwn) await pool.end().catch(() => undefined);
}

/** Asks on one connection, which goes with what it was asked if that failed. */
async function onConnection<T>(pool: MysqlPool, work: (ask: Ask) => Promise<T>): Promise<T> {
  const connection = (await pool.getConnection()) as MysqlConnection;
  const ignore = (): void => undefined;
  connection.on('error', ignore);
  let works = false;
  try {
    const result = await work(async (sql) => (await ask(connection, sql)) as readonly SqlRow[]);
    works = true;
    return result;
  } finally {
    connection.off('error', ignore);
    if (works) connection.release();
    else connection.destroy();
  }
}

/** For people, without user and password. */
function nameOf({ host, port, socket, database, prefix }: MysqlSettings): string {
  const place = socket === undefined ? `on ${host}:${port}` : `at ${socket}`;
  return `${database} ${place}${prefix === defaultPrefix ? '' : `, tables ${prefix}…`}`;
}
