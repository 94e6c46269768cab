/**
 * Transactions of the application on a connection of its own to the same database. Nobody is told when such a
 * transaction ends; this looks for what was written in it, and rings when it can be seen.
 */
import { StoreError } from '../store.ts';
import type { JoinedStore, RunRef } from '../store.ts';
import { MysqlCommit } from './commit.ts';
import type { MysqlDatabase } from './database.ts';
import { errorNumberOf, noSuchTable } from './errors.ts';
import { mysqlHistory } from './history.ts';
import { JoinedConnection, JoinedNumbers, invalid } from './joined-connection.ts';
import type { ApplicationConnection } from './joined-connection.ts';
import { listOf } from './literal.ts';
import { mysqlOutbox } from './outbox.ts';
import { mysqlRuns } from './runs.ts';
import { mysqlTasks } from './tasks.ts';

/** The row of the table `hints` that tells these tables from others. */
const markRow = 2;
const marksMax = 2 ** 52;

const looksApartMsMin = 3;
/** When looks would be further apart there are none: the engine finds the work within a second anyway. */
const looksApartMsMax = 1_000;
/** Looks are that part of the transaction's time apart, so that its work is late by that part. */
const partOfTime = 8;

interface Joined {
  readonly questions: JoinedConnection;
  readonly store: JoinedStore;
}

export interface JoinedTransactionsOptions {
  /** The store's own. */
  readonly db: MysqlDatabase;
  /** Of the tables; no others have it. */
  readonly mark: number;
  /** Tells every process that listens, this one too. */
  readonly ring: () => void;
}

export class JoinedTransactions {
  readonly #options: JoinedTransactionsOptions;
  readonly #joined = new WeakMap<object, Joined>();
  readonly #numbers = new JoinedNumbers();
  /** Runs that were written and, when last looked for, not to be seen, with the time of their writing. */
  readonly #unseen = new Map<RunRef, number>();
  #look: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: JoinedTransactionsOptions) {
    this.#options = options;
  }

  /** @throws StoreError STORE_TRANSACTION_INVALID. */
  async join(transaction: unknown): Promise<JoinedStore> {
    const connection = connectionOf(transaction);
    const handle = transaction as object;
    let joined = this.#joined.get(handle);
    if (joined === undefined) {
      joined = this.#join(connection);
      await this.#expectSameTables(joined.questions);
      this.#joined.set(handle, joined);
    }
    if (await joined.questions.enter()) return joined.store;
    throw invalid(
      'tx is in no transaction. BEGIN one on it first, and COMMIT when submit() has answered',
    );
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#look);
    if (this.#unseen.size > 0) this.#options.ring();
    this.#unseen.clear();
  }

  #join(connection: ApplicationConnection): Joined {
    const { db } = this.#options;
    const questions = new JoinedConnection({ connection, db, numbers: this.#numbers });
    const commit = new MysqlCommit(questions);
    const store: JoinedStore = {
      failure: undefined,
      runs: mysqlRuns(questions),
      history: mysqlHistory(questions),
      tasks: mysqlTasks(questions),
      outbox: mysqlOutbox(questions),
      commit: async (groups) => {
        const results = await commit.commit(groups);
        const written = results.find(({ outcome }) => outcome === 'committed');
        const [ref] = written?.outcome === 'committed' ? written.refs : [];
        if (ref !== undefined) this.#lookFor(ref);
        return results;
      },
    };
    return { questions, store };
  }

  async #expectSameTables(questions: JoinedConnection): Promise<void> {
    const { db, mark } = this.#options;
    const isCut = `@@sql_mode NOT REGEXP 'STRICT_(TRANS|ALL)_TABLES' OR @@unique_checks = 0`;
    let found: unknown;
    try {
      const [row] = await questions.read(
        `SELECT rung AS mark, (${isCut}) AS is_lax FROM ${db.tables.hints} WHERE one = ${markRow} LOCK IN SHARE MODE`,
      );
      found = row?.['mark'];
      if (found === mark && row?.['is_lax'] === 1) {
        throw invalid(
          `tx has a session that cuts what is too long for a column, or does not look for duplicates. Let its sql_mode have STRICT_TRANS_TABLES, and unique_checks be 1, as is the default`,
        );
      }
    } catch (error) {
      if (errorNumberOf((error as StoreError).cause) !== noSuchTable) throw error;
    }
    if (found === mark) return;
    throw invalid(
      `tx is connected to another database than the ${db.description}, or has its tables under another prefix. Begin your transaction in the database of the store`,
    );
  }

  #lookFor(ref: RunRef): void {
    if (this.#closed) return;
    this.#unseen.set(ref, performance.now());
    clearTimeout(this.#look);
    this.#lookLater();
  }

  #lookLater(): void {
    const now = performance.now();
    let apartMs = Infinity;
    for (const [ref, since] of this.#unseen) {
      const apart = (now - since) / partOfTime;
      if (apart > looksApartMsMax) this.#unseen.delete(ref);
      else apartMs = Math.min(apartMs, apart);
    }
    if (this.#unseen.size === 0 || this.#closed) return;
    this.#look = setTimeout(() => void this.#lookAround(), Math.max(apartMs, looksApartMsMin));
    this.#look.unref();
  }

  async #lookAround(): Promise<void> {
    const { db, ring } = this.#options;
    const refs = [...this.#unseen.keys()];
    try {
      const rows = await db.read(
        `SELECT ref FROM ${db.tables.runs} WHERE ref IN ${listOf(refs)} LIMIT ${refs.length}`,
      );
      for (const row of rows) this.#unseen.delete(row['ref'] as RunRef);
      if (rows.length > 0 && !this.#closed) ring();
    } catch {
      // The engine looks for itself every second.
    }
    clearTimeout(this.#look);
    this.#lookLater();
  }
}

/** Made by whichever process comes first. */
export async function markOf(db: MysqlDatabase): Promise<number> {
  const { hints } = db.tables;
  await db.write(
    `INSERT INTO ${hints} (one, rung) VALUES (${markRow}, floor(rand() * ${marksMax})) ON DUPLICATE KEY UPDATE rung = rung`,
  );
  const [row] = await db.read(`SELECT rung FROM ${hints} WHERE one = ${markRow}`);
  return row?.['rung'] as number;
}

function connectionOf(transaction: unknown): ApplicationConnection {
  const { query, promise, getConnection } = Object(transaction) as {
    readonly [name in 'query' | 'promise' | 'getConnection']?: unknown;
  };
  if (typeof getConnection === 'function') {
    throw invalid(
      'tx is a Pool, whose statements go to any of its connections. Take one (await pool.getConnection()), begin a transaction on it, and give that connection',
    );
  }
  if (typeof query !== 'function') {
    throw invalid(
      'tx has no method query(). Give the connection of the package mysql2 on which your transaction was begun, from createConnection() or pool.getConnection()',
    );
  }
  return typeof promise === 'function'
    ? (promise.call(transaction) as ApplicationConnection)
    : (transaction as ApplicationConnection);
}
