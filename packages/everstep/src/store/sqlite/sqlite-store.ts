/**
 * The store in one SQLite file, for all processes of one machine: the default, and the one that loses nothing on
 * kill -9. Calls run synchronously and answer with settled promises, unless another process holds SQLite's lock: then
 * they are tried again. Processes are kept apart by that lock and by versions. It must never be put on a network file system.
 *
 * Read next: commit.ts (the write path), migrations/0001-initial.sql (the form).
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { SqliteCommit } from './commit.ts';
import { checkHeader, makeFolder, refuseNetworkFileSystem } from './database-file.ts';
import { SqliteDatabase, storeErrorOf } from './database.ts';
import { loadDriver } from './driver.ts';
import type { SqliteDriver, SqliteHandle } from './driver.ts';
import { FileWatch } from './file-watch.ts';
import { SqliteHints, watchIsReliable } from './hints.ts';
import { hasOpen } from './open-files.ts';
import { sqliteHistory } from './history.ts';
import { JoinedTransactions } from './joined-transactions.ts';
import { sqliteMail } from './mail.ts';
import { migrate, readMigrations } from './migrations.ts';
import { sqliteNamespaces } from './namespaces.ts';
import { sqliteOutbox } from './outbox.ts';
import { sqliteProcesses } from './processes.ts';
import { sqliteRuns } from './runs.ts';
import { sqliteTasks } from './tasks.ts';
import { sqliteVisibility } from './visibility.ts';
import { StoreError } from '../store.ts';
import type { CommitGroup, CommitResult, JoinedStore, Store } from '../store.ts';

export interface SqliteStoreOptions {
  /** Its folder is made when missing. */
  readonly path: string;
  /**
   * FULL (default): acknowledged means on the disk. NORMAL: survives the death of a process, but the last commits
   * may be lost when the machine loses power.
   */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** How long a write waits for another process's, 5 s by default. */
  readonly busyTimeoutMs?: number;
  /** A limit on the file's size; reaching it is a full disk. */
  readonly pagesMax?: number;
  /** False: polls the database for the commits of others instead of watching the hint file. */
  readonly watch?: boolean;
  /** Milliseconds that only go up, for the look at the file; `performance.now` by default. */
  readonly monotonicNow?: () => number;
  /** Another way to SQLite with the API of node:sqlite; by default that module, or what stands in for it. */
  readonly driver?: SqliteDriver;
}

/** The WAL is grown to this size at open: a commit into space that exists already needs no change of metadata. */
const walBytes = 16 * 1024 * 1024;
const checkpointPages = 4_000;
const cacheKiB = 64 * 1024;

type Nouns = Omit<
  Store,
  'kind' | 'description' | 'failure' | 'open' | 'close' | 'commit' | 'joinTransaction'
>;

export class SqliteStore implements Store {
  readonly kind = 'sqlite';
  readonly description: string;
  readonly path: string;
  readonly #options: SqliteStoreOptions;
  #db: SqliteDatabase | undefined;
  #commit: SqliteCommit | undefined;
  #nouns: Nouns | undefined;
  #hints: SqliteHints | undefined;
  #joined: JoinedTransactions | undefined;
  #failure: StoreError | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.path = resolve(options.path);
    this.description = `SQLite file ${options.path}`;
  }

  get failure(): StoreError | undefined {
    return this.#db?.failure ?? this.#failure;
  }

  isOpenIn(pid: number): boolean | undefined {
    return hasOpen(pid, this.path);
  }

  async open(): Promise<void> {
    if (this.#db !== undefined) {
      throw new StoreError('STORE_FAILED', `The database ${this.path} is open already.`);
    }
    this.#failure = undefined;
    const migrations = readMigrations();
    makeFolder(this.path);
    refuseNetworkFileSystem(this.path);
    checkHeader(this.path, migrations.at(-1)?.version ?? 0);
    const driver = this.#options.driver ?? (await loadDriver(this.path));
    let handle: SqliteHandle | undefined;
    try {
      handle = driver.open(this.path);
      const busyTimeoutMs = this.#options.busyTimeoutMs ?? 5_000;
      handle.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      const db = new SqliteDatabase(this.path, handle);
      migrate(db, migrations);
      this.#tune(db);
      db.watch(new FileWatch(this.path, this.#options.monotonicNow));
      const commit = new SqliteCommit(db);
      const hints = new SqliteHints(db, {
        watch: this.#options.watch ?? watchIsReliable(process.platform),
      });
      this.#hints = hints;
      this.#joined = new JoinedTransactions({ db, ring: () => hints.ring() });
      this.#nouns = {
        runs: sqliteRuns(db, commit),
        history: sqliteHistory(db),
        tasks: sqliteTasks(db),
        outbox: sqliteOutbox(db),
        mail: sqliteMail(db),
        processes: sqliteProcesses(db),
        namespaces: sqliteNamespaces(db),
        visibility: sqliteVisibility(db),
        hints: this.#hints,
      };
      db.waitForLocks(busyTimeoutMs);
      this.#commit = commit;
      this.#db = db;
    } catch (cause) {
      handle?.close();
      throw storeErrorOf(cause, this.path);
    }
  }

  close(): Promise<void> {
    this.#failure = this.failure;
    this.#joined?.close();
    this.#joined = undefined;
    this.#hints?.close();
    this.#db?.checkpoint();
    this.#db?.close();
    this.#nouns = undefined;
    this.#commit = undefined;
    this.#db = undefined;
    return Promise.resolve();
  }

  commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    try {
      const commit = this.#commit ?? this.#closed();
      const results = commit.commit(groups);
      const busy = busyOf(results);
      return busy && this.#db
        ? commitAgain(this.#db, commit, groups, busy)
        : Promise.resolve(results);
    } catch (cause) {
      return Promise.reject(this.#db?.failed(cause) ?? storeErrorOf(cause, this.path));
    }
  }

  joinTransaction({ transaction }: { readonly transaction: unknown }): Promise<JoinedStore> {
    try {
      return Promise.resolve((this.#joined ?? this.#closed()).join(transaction));
    } catch (cause) {
      return Promise.reject(this.#db?.failed(cause) ?? storeErrorOf(cause, this.path));
    }
  }

  get runs(): Store['runs'] {
    return (this.#nouns ?? this.#closed()).runs;
  }
  get history(): Store['history'] {
    return (this.#nouns ?? this.#closed()).history;
  }
  get tasks(): Store['tasks'] {
    return (this.#nouns ?? this.#closed()).tasks;
  }
  get outbox(): Store['outbox'] {
    return (this.#nouns ?? this.#closed()).outbox;
  }
  get mail(): Store['mail'] {
    return (this.#nouns ?? this.#closed()).mail;
  }
  get processes(): Store['processes'] {
    return (this.#nouns ?? this.#closed()).processes;
  }
  get namespaces(): Store['namespaces'] {
    return (this.#nouns ?? this.#closed()).namespaces;
  }
  get visibility(): Store['visibility'] {
    return (this.#nouns ?? this.#closed()).visibility;
  }
  get hints(): Store['hints'] {
    return (this.#nouns ?? this.#closed()).hints;
  }

  #closed(): never {
    throw new StoreError(
      'STORE_CLOSED',
      `The database ${this.path} is not open. Call open() and wait for it before using the store.`,
    );
  }

  #tune(db: SqliteDatabase): void {
    switchToWal(db);
    db.exec(`PRAGMA synchronous = ${this.#options.synchronous ?? 'FULL'}`);
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
    db.exec('PRAGMA temp_store = MEMORY');
    const { pagesMax } = this.#options;
    // A file that is kept small has no use for a WAL that is larger.
    if (pagesMax === undefined || pagesMax >= checkpointPages) growWal(db);
    db.exec(`PRAGMA cache_size = -${cacheKiB}`);
    if (pagesMax !== undefined) db.exec(`PRAGMA max_page_count = ${pagesMax}`);
  }
}

/** Why nothing at all was written, where that was another process's lock. */
function busyOf(results: readonly CommitResult[]): StoreError | undefined {
  let busy: StoreError | undefined;
  for (const result of results) {
    if (result.outcome !== 'failed' || result.error.code !== 'STORE_BUSY') return undefined;
    busy = result.error;
  }
  return busy;
}

function commitAgain(
  db: SqliteDatabase,
  commit: SqliteCommit,
  groups: readonly CommitGroup[],
  first: StoreError,
): Promise<readonly CommitResult[]> {
  const work = () => {
    const results = commit.commit(groups);
    const busy = busyOf(results);
    if (busy !== undefined) throw busy;
    return results;
  };
  return db
    .again(work, first)
    .catch((error: StoreError) => groups.map(() => ({ outcome: 'failed', error })));
}

/** SQLite does not wait for its lock here, so two processes that open a new file together try again. */
function switchToWal(db: SqliteDatabase): void {
  for (let tries = 0; ; tries += 1) {
    try {
      db.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (cause) {
      if (tries === 200 || storeErrorOf(cause, db.path).code !== 'STORE_BUSY') throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

/**
 * Pages of a transaction that outgrows the cache go to the WAL before its end; rolled back, they leave the WAL as long
 * as they were and the database as it was. Without the room for it, the WAL grows as it is used.
 */
function growWal(db: SqliteDatabase): void {
  if ((statSync(`${db.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) >= walBytes) return;
  db.exec('PRAGMA cache_size = 16');
  try {
    db.rehearse(() => {
      db.exec('CREATE TABLE wal_room (bytes BLOB)');
      db.exec(`INSERT INTO wal_room VALUES (zeroblob(${walBytes}))`);
    });
  } catch (cause) {
    if (storeErrorOf(cause, db.path).code !== 'STORE_DISK_FULL') throw cause;
  }
}
