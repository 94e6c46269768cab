/**
 * An open SQLite file: its handle, its prepared statements and its transactions, held for as long as the store is
 * open (a collected handle takes the process with it). Every error leaves here as a StoreError.
 */
import { setTimeout } from 'node:timers/promises';
import type { SqliteHandle, SqliteStatement } from './driver.ts';
import type { FileWatch } from './file-watch.ts';
import { StoreError } from '../store.ts';

/** How long SQLite waits for a lock in one go. */
const lockMsMax = 20;
/** Between two goes. */
const pauseMs = 10;

/** How a transaction begins and ends. */
interface Bounds {
  readonly begin: string;
  readonly commit: string;
  readonly rollBack: string;
}

const ownBounds: Bounds = { begin: 'BEGIN IMMEDIATE', commit: 'COMMIT', rollBack: 'ROLLBACK' };
/** Inside a transaction of the application. */
const joinedBounds: Bounds = {
  begin: 'SAVEPOINT everstep',
  commit: 'RELEASE everstep',
  rollBack: 'ROLLBACK TO everstep; RELEASE everstep',
};

export class SqliteDatabase {
  readonly path: string;
  readonly #handle: SqliteHandle;
  readonly #statements = new Map<string, SqliteStatement>();
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #rollBack: string;
  readonly #isJoined: boolean;
  readonly #numbers = new Map<string, number>();
  readonly #ids = new Map<number, string>();
  #open = true;
  #failure: StoreError | undefined;
  #files: FileWatch | undefined;
  #inTransaction = false;
  #lockMs = 0;
  #againMs = 0;
  #nextNumber = 0;
  #numberEnd = 0;

  /** `isJoined`: the handle is the application's, and always in a transaction of the application when it is used. */
  constructor(path: string, handle: SqliteHandle, isJoined = false) {
    const { begin, commit, rollBack } = isJoined ? joinedBounds : ownBounds;
    this.path = path;
    this.#handle = handle;
    this.#isJoined = isJoined;
    this.#begin = handle.prepare(begin);
    this.#commit = handle.prepare(commit);
    this.#rollBack = rollBack;
  }

  exec(sql: string): void {
    this.#handle.exec(sql);
  }

  statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#handle.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** For a statement whose text is made for one question. */
  once(sql: string): SqliteStatement {
    return this.#handle.prepare(sql);
  }

  /**
   * From now on SQLite itself waits only for a moment for another process's lock, as the whole process stands still
   * meanwhile. What is not done by then is tried again after pauses in which the process goes on, for that long in all.
   */
  waitForLocks(busyTimeoutMs: number): void {
    this.#lockMs = Math.min(lockMsMax, busyTimeoutMs);
    this.standsStill(true);
    this.#againMs = busyTimeoutMs - this.#lockMs;
  }

  /** Whether SQLite may stand still for a moment for a lock: not for one that this very thread holds meanwhile. */
  standsStill(may: boolean): void {
    this.#handle.exec(`PRAGMA busy_timeout = ${may ? this.#lockMs : 0}`);
  }

  /** Runs `work` now, and answers with a promise that is settled already, unless another process holds the lock. */
  answer<T>(work: () => T): Promise<T> {
    try {
      this.check();
      return Promise.resolve(work());
    } catch (cause) {
      const error = this.failed(cause);
      return error.code === 'STORE_BUSY' ? this.again(work, error) : Promise.reject(error);
    }
  }

  /** Runs `work`, of which nothing was done for that error, until it meets no lock. Throws the last error. */
  async again<T>(work: () => T, busy: StoreError): Promise<T> {
    let last = busy;
    const until = performance.now() + this.#againMs;
    while (performance.now() < until) {
      await setTimeout(pauseMs);
      try {
        this.check();
        return work();
      } catch (cause) {
        last = this.failed(cause);
        if (last.code !== 'STORE_BUSY') break;
      }
    }
    throw last;
  }

  /** Why every call is refused from now on. */
  get failure(): StoreError | undefined {
    return this.#failure;
  }

  /** From now on it is looked for the file, at most once a second, before it is used. */
  watch(files: FileWatch): void {
    this.#files = files;
  }

  /** What was thrown, as a StoreError. A file that SQLite finds damaged is not used any more. */
  failed(cause: unknown): StoreError {
    const error = storeErrorOf(cause, this.path);
    // A StoreError comes from one row that does not match its checksum; the rest of the file does.
    if (error !== cause && error.code === 'STORE_CORRUPT') this.#failure ??= error;
    return error;
  }

  check(): void {
    if (!this.#open) {
      throw new StoreError(
        'STORE_CLOSED',
        `The database ${this.path} is closed. Open the store again before using it.`,
      );
    }
    this.#failure ??= this.#files?.look();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** All or nothing, and durable when it returns. What `work` throws is thrown, with everything undone. */
  transaction<T>(work: () => T): T {
    this.#begin.run();
    this.#inTransaction = true;
    try {
      const result = work();
      this.#commit.run();
      this.#inTransaction = false;
      // What was numbered may still be undone, without a word to us.
      if (this.#isJoined) this.#forget();
      return result;
    } catch (cause) {
      this.rollBack();
      throw cause;
    }
  }

  /** Runs `work` in a transaction that is always undone. */
  rehearse(work: () => void): void {
    this.#begin.run();
    this.#inTransaction = true;
    try {
      work();
    } finally {
      this.rollBack();
    }
  }

  rollBack(): void {
    // What was numbered inside may be handed to somebody else now.
    this.#forget();
    if (!this.#inTransaction) return;
    this.#inTransaction = false;
    try {
      this.#handle.exec(this.#rollBack);
    } catch {
      // After a full disk SQLite has rolled back by itself, and says that there is no transaction.
    }
  }

  #forget(): void {
    this.#numberEnd = 0;
    this.#nextNumber = 0;
    this.#numbers.clear();
    this.#ids.clear();
  }

  /** A number that no row of this file has had or will have. Inside a transaction only. */
  nextNumber(): number {
    if (this.#nextNumber >= this.#numberEnd) {
      const row = this.statement(
        'UPDATE number_blocks SET next = next + 1000 WHERE one = 1 RETURNING next',
      ).get();
      this.#numberEnd = row?.['next'] as number;
      this.#nextNumber = this.#numberEnd - 1000;
    }
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    return number;
  }

  /** The number of a namespace id, 0 when no run has used it. */
  namespaceNumber(namespaceId: string): number {
    const known = this.#numbers.get(namespaceId);
    if (known !== undefined) return known;
    const row = this.statement(
      'SELECT namespace FROM namespace_numbers WHERE namespace_id = ?',
    ).get(namespaceId);
    if (row === undefined) return 0;
    if (!this.#isJoined || this.#inTransaction) {
      this.#numbers.set(namespaceId, row['namespace'] as number);
    }
    return row['namespace'] as number;
  }

  /** The same, given out when missing. Inside a transaction only. */
  ensureNamespaceNumber(namespaceId: string): number {
    const known = this.namespaceNumber(namespaceId);
    if (known !== 0) return known;
    const result = this.statement('INSERT INTO namespace_numbers (namespace_id) VALUES (?)').run(
      namespaceId,
    );
    const number = Number(result.lastInsertRowid);
    this.#numbers.set(namespaceId, number);
    return number;
  }

  namespaceId(number: number): string {
    let id = this.#ids.get(number);
    if (id === undefined) {
      const row = this.statement(
        'SELECT namespace_id FROM namespace_numbers WHERE namespace = ?',
      ).get(number);
      id = (row?.['namespace_id'] as string | undefined) ?? '';
      if (!this.#isJoined) this.#ids.set(number, id);
    }
    return id;
  }

  /** Grows when another connection has committed. */
  dataVersion(): number {
    return this.statement('PRAGMA data_version').get()?.['data_version'] as number;
  }

  /**
   * Copies the WAL into the file. node:sqlite does it when the last connection closes; @photostructure/sqlite keeps a
   * connection until its statements are collected.
   */
  checkpoint(): void {
    if (this.#files?.isLost === true) return;
    try {
      this.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // What is in the WAL is durable: the next one to open the file finds it there.
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#statements.clear();
    this.#handle.close();
  }
}

/** SQLite's result codes, by what a person can do about them. */
export function storeErrorOf(cause: unknown, path: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const { errcode, code, message } = cause as {
    errcode?: number;
    code?: string;
    message?: string;
  };
  const said = message ?? String(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, cause);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return notWritable(path, said, cause);
  // The shared memory file could not grow: the folder is on a full disk.
  if (errcode === 4874 || errcode === 5386) return diskFull(path, cause);
  switch (errcode === undefined ? codeInWords(said) : errcode & 0xff) {
    case 13:
      return diskFull(path, cause);
    case 11:
    case 26:
      return new StoreError(
        'STORE_CORRUPT',
        `The database ${path} is damaged (${said}). Stop every process that uses it, keep a copy of the file and ` +
          `its -wal file, and restore a backup or move it away to begin anew.`,
        { cause },
      );
    case 3:
    case 8:
    case 14:
    case 23:
      return notWritable(path, said, cause);
    case 5:
    case 6:
      return new StoreError(
        'STORE_BUSY',
        `The database ${path} stayed locked by another process (${said}). Nothing was written; try again, and look ` +
          `for a process that holds a transaction open, such as a database browser.`,
        { cause },
      );
    default:
      return new StoreError('STORE_FAILED', `The database ${path} failed: ${said}.`, { cause });
  }
}

/** @photostructure/sqlite gives no number with the errors of `all`. */
function codeInWords(said: string): number {
  if (/malformed|not a database/.test(said)) return 11;
  if (said.includes('database or disk is full')) return 13;
  return /is locked/.test(said) ? 5 : -1;
}

function diskFull(path: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_DISK_FULL',
    `There is no room left for the database ${path}. Nothing was damaged and this write was not made; free some ` +
      `disk space and it works again.`,
    { cause },
  );
}

export function notWritable(path: string, said: string, cause: unknown): StoreError {
  return new StoreError(
    'STORE_NOT_WRITABLE',
    `The database ${path} cannot be written (${said}). Its folder must exist or be creatable, and both the file and ` +
      `the folder must be writable for this user; or choose another path.`,
    { cause },
  );
}
