/**
 * Transactions of the application on a handle of its own to the same file. What is written there is the
 * application's to commit: this looks when such a transaction has ended, and rings then.
 */
import { statSync } from 'node:fs';
import { SqliteCommit } from './commit.ts';
import { SqliteDatabase } from './database.ts';
import type { SqliteHandle, SqliteStatement } from './driver.ts';
import { sqliteHistory } from './history.ts';
import { sqliteOutbox } from './outbox.ts';
import { sqliteRuns } from './runs.ts';
import { sqliteTasks } from './tasks.ts';
import { StoreError } from '../store.ts';
import type { JoinedStore } from '../store.ts';

/** The looks for the end of a transaction, which become rarer as it lasts. */
const firstLookMs = 2;
const looksApartMsMax = 50;

/** What `node:sqlite` has, and `@photostructure/sqlite`. */
interface ApplicationHandle extends SqliteHandle {
  readonly isOpen?: boolean;
  /** Absent in node:sqlite before Node 22.16. */
  readonly isTransaction?: boolean;
}

interface ApplicationStatement extends SqliteStatement {
  setReadBigInts?(readBigInts: boolean): void;
  setReturnArrays?(returnArrays: boolean): void;
}

export interface JoinedTransactionsOptions {
  /** The store's own. */
  readonly db: SqliteDatabase;
  readonly ring: () => void;
}

export class JoinedTransactions {
  readonly #options: JoinedTransactionsOptions;
  readonly #joined = new WeakMap<ApplicationHandle, JoinedStore>();
  /** Transactions that have written and, when last looked at, not ended. */
  readonly #open = new Set<ApplicationHandle>();
  #seen = 0;
  #apartMs = firstLookMs;
  #look: NodeJS.Timeout | undefined;

  constructor(options: JoinedTransactionsOptions) {
    this.#options = options;
  }

  /** @throws StoreError STORE_TRANSACTION_INVALID. */
  join(transaction: unknown): JoinedStore {
    this.#options.db.check();
    const handle = this.#handleOf(transaction);
    let joined = this.#joined.get(handle);
    if (joined === undefined) {
      this.#expectSameFile(handle);
      joined = this.#join(handle);
      this.#joined.set(handle, joined);
    }
    if (!isInTransaction(handle)) {
      throw this.#invalid(
        `tx is in no transaction. Begin one on it first (BEGIN IMMEDIATE), and COMMIT when submit() has answered`,
      );
    }
    return joined;
  }

  close(): void {
    clearTimeout(this.#look);
    if (this.#open.size > 0) this.#options.ring();
    this.#open.clear();
  }

  #handleOf(transaction: unknown): ApplicationHandle {
    const { exec, prepare, isOpen } = Object(transaction) as Partial<ApplicationHandle>;
    if (typeof exec !== 'function' || typeof prepare !== 'function') {
      throw this.#invalid(
        `tx has no methods exec() and prepare(). Give the DatabaseSync of node:sqlite or @photostructure/sqlite, on the file ${this.#options.db.path}, on which your transaction was begun`,
      );
    }
    if (isOpen === false) throw this.#invalid('tx is closed');
    return transaction as ApplicationHandle;
  }

  /** A transaction over several files is not one when the machine fails in it, so an attached file will not do. */
  #expectSameFile(handle: ApplicationHandle): void {
    const { path } = this.#options.db;
    const rows = asTheStoreReads(handle).prepare('PRAGMA database_list').all();
    const file = rows.find((row) => row['name'] === 'main')?.['file'];
    const isSame = typeof file === 'string' && file !== '' && isSameFile(file, path);
    if (isSame) return;
    throw this.#invalid(
      `tx is open on ${typeof file === 'string' && file !== '' ? file : 'a database in memory'}, and the tasks are in ${path}. Keep your tables in that file too and open tx on it, or name your file as the store`,
    );
  }

  #join(handle: ApplicationHandle): JoinedStore {
    const { db: own } = this.#options;
    const db = new SqliteDatabase(own.path, asTheStoreReads(handle), true);
    const commit = new SqliteCommit(db);
    return {
      get failure() {
        return own.failure;
      },
      runs: sqliteRuns(db, commit),
      history: sqliteHistory(db),
      tasks: sqliteTasks(db),
      outbox: sqliteOutbox(db),
      commit: (groups) => {
        try {
          own.check();
          const results = commit.commit(groups);
          this.#wrote(handle);
          return Promise.resolve(results);
        } catch (cause) {
          return Promise.reject(own.failed(cause));
        }
      },
    };
  }

  #wrote(handle: ApplicationHandle): void {
    const { db } = this.#options;
    if (this.#open.size === 0) {
      this.#seen = db.dataVersion();
      db.standsStill(false);
    }
    this.#open.add(handle);
    this.#apartMs = firstLookMs;
    clearTimeout(this.#look);
    this.#lookLater();
  }

  #lookLater(): void {
    this.#look = setTimeout(() => this.#lookForEnds(), this.#apartMs);
    this.#look.unref();
    this.#apartMs = Math.min(this.#apartMs * 1.5, looksApartMsMax);
  }

  #lookForEnds(): void {
    const { db, ring } = this.#options;
    for (const handle of this.#open) {
      if (isInTransaction(handle)) continue;
      this.#open.delete(handle);
      // @photostructure/sqlite lets go of a closed database when the last of its statements is collected.
      if (handle.isOpen === false) this.#joined.delete(handle);
    }
    try {
      // The next transaction on a handle may have begun already: what tells of a commit is the file.
      const version = db.dataVersion();
      if (version !== this.#seen) ring();
      this.#seen = version;
      if (this.#open.size === 0) db.standsStill(true);
    } catch {
      // A database that cannot be used tells so to the next call.
    }
    if (this.#open.size > 0) this.#lookLater();
  }

  #invalid(what: string): StoreError {
    return new StoreError(
      'STORE_TRANSACTION_INVALID',
      `${what}. Nothing was written in the transaction.`,
    );
  }
}

/** Whatever the application has set for its own statements. */
function asTheStoreReads(handle: ApplicationHandle): SqliteHandle {
  return {
    prepare: (sql) => {
      const statement: ApplicationStatement = handle.prepare(sql);
      statement.setReadBigInts?.(false);
      statement.setReturnArrays?.(false);
      return statement;
    },
    exec: (sql) => handle.exec(sql),
    close: () => handle.close(),
  };
}

function isInTransaction(handle: ApplicationHandle): boolean {
  try {
    if (handle.isTransaction !== undefined) return handle.isTransaction;
    // Inside a transaction there is no BEGIN; where there is one, it has changed nothing.
    handle.exec('BEGIN');
    handle.exec('ROLLBACK');
    return false;
  } catch (cause) {
    // A handle that was closed is in none.
    return cause instanceof Error && cause.message.includes('within a transaction');
  }
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
