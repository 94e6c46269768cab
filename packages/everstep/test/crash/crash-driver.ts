/** The SQLite driver of a process that is to be killed: the real one, with a trapdoor at each of its doors. */
import { rmSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { SqliteDriver, SqliteHandle, SqliteStatement } from '../../src/store/sqlite/driver.ts';
import type { Place, Trap, Trapdoor } from './failpoints.ts';
import { killSelf } from './failpoints.ts';
import type { PlantedBug } from './planted.ts';
import type { Recovery } from './trapped-store.ts';

interface HandleWithFunctions extends SqliteHandle {
  function(name: string, call: () => number): void;
}

export class CrashDriver implements SqliteDriver {
  readonly name: string;
  readonly #real: SqliteDriver;
  readonly #trapdoor: Trapdoor;
  readonly #planted: PlantedBug | undefined;
  readonly #recovery: Recovery;

  constructor(real: SqliteDriver, trapdoor: Trapdoor, recovery: Recovery, planted?: PlantedBug) {
    this.#recovery = recovery;
    this.#planted = planted;
    this.name = `${real.name}, to be killed`;
    this.#real = real;
    this.#trapdoor = trapdoor;
  }

  open(path: string): SqliteHandle {
    const trapdoor = this.#trapdoor;
    if (this.#planted === 'wal-removed') rmSync(`${path}-wal`, { force: true });
    const handle = this.#real.open(path) as HandleWithFunctions;
    return new CrashHandle(handle, trapdoor, this.#planted, (place) => {
      trapdoor.pass(place);
      if (this.#recovery.isUnderWay) {
        if (place === 'in-transaction') trapdoor.pass('recovery:in-transaction');
        if (place === 'before-commit') trapdoor.pass('recovery:before-commit');
        if (place === 'after-commit') trapdoor.pass('recovery:after-commit');
      }
    });
  }
}

class CrashHandle implements SqliteHandle {
  readonly #handle: HandleWithFunctions;
  readonly #trapdoor: Trapdoor;
  readonly #pass: (place: Place) => void;
  readonly #planted: PlantedBug | undefined;
  /** A commit that has been answered and not been made. */
  #owed: (() => unknown) | undefined;
  /** The file is open: what is committed from now on is what somebody waits for. */
  #serving = false;
  #inTransaction = false;
  #migrating = false;
  #checkpointKiller: CheckpointKiller | undefined;

  constructor(
    handle: HandleWithFunctions,
    trapdoor: Trapdoor,
    planted: PlantedBug | undefined,
    pass: (place: Place) => void,
  ) {
    this.#planted = planted;
    this.#handle = handle;
    this.#trapdoor = trapdoor;
    this.#pass = pass;
    trapdoor.onArmed((trap) => this.#armed(trap));
  }

  #armed(trap: Trap): void {
    if (trap.place === 'mid-statement') this.#trapStatements();
    if (trap.place === 'checkpoint') this.#checkpointKiller ??= new CheckpointKiller();
  }

  /** SQLite itself calls back in the middle of a statement, by a function in a trigger of this connection. */
  #trapStatements(): void {
    this.#handle.function('pass_mid_statement', () => {
      this.#trapdoor.pass('mid-statement');
      return 0;
    });
    for (const [name, event] of [
      ['inserted', 'AFTER INSERT ON main.history'],
      ['updated', 'AFTER UPDATE ON main.runs'],
      ['deleted', 'BEFORE DELETE ON main.tasks'],
    ] as const) {
      this.#handle.exec(
        `CREATE TEMP TRIGGER IF NOT EXISTS crash_${name} ${event} BEGIN SELECT pass_mid_statement(); END`,
      );
    }
  }

  exec(sql: string): void {
    const migration = /\bCREATE TABLE (runs|next_form)\b/.test(sql);
    if (migration) this.#beforeMigration(sql);
    if (sql === 'PRAGMA journal_mode = WAL') this.#pass('migration:before-wal');
    this.#handle.exec(sql);
    if (migration) this.#pass('migration:after-sql');
    if (sql === 'PRAGMA journal_mode = WAL') this.#pass('migration:after-wal');
    if (sql.startsWith('INSERT INTO wal_room')) this.#pass('migration:wal-grown');
    if (sql === 'ROLLBACK') this.#inTransaction = false;
  }

  #beforeMigration(sql: string): void {
    this.#migrating = true;
    this.#pass('migration:before-sql');
    if (!this.#trapdoor.isDue('migration:inside-sql')) return;
    const statements = sql.split(/(?<=;\n)/);
    const done = Math.floor((this.#trapdoor.trap?.chance ?? 0) * (statements.length - 1)) + 1;
    this.#handle.exec(statements.slice(0, done).join(''));
    killSelf();
  }

  prepare(text: string): SqliteStatement {
    const unchecked = this.#planted === 'version-unchecked' && text.startsWith('UPDATE runs');
    const sql = unchecked ? text.replace('AND version = ?', 'AND version >= 0 * ?') : text;
    const statement = this.#handle.prepare(sql);
    if (sql.startsWith('INSERT INTO history')) this.#serving = true;
    if (sql === 'BEGIN IMMEDIATE') return this.#around(statement, (run) => this.#begin(run));
    if (sql === 'COMMIT') return this.#around(statement, (run) => this.#commit(run));
    return this.#around(statement, (run) => {
      if (this.#inTransaction) this.#pass('in-transaction');
      return run();
    });
  }

  #around(statement: SqliteStatement, call: <T>(run: () => T) => T): SqliteStatement {
    return {
      run: (...values) => call(() => statement.run(...values)),
      get: (...values) => call(() => statement.get(...values)),
      all: (...values) => call(() => statement.all(...values)),
    };
  }

  #begin<T>(run: () => T): T {
    this.#pay();
    this.#pass('before-begin');
    if (this.#planted === 'no-transaction') {
      this.#inTransaction = true;
      return undefined as T;
    }
    const result = run();
    this.#inTransaction = true;
    return result;
  }

  #commit<T>(run: () => T): T {
    this.#pass('before-commit');
    if (this.#migrating) this.#pass('migration:before-commit');
    const result = this.#make(run);
    this.#inTransaction = false;
    this.#pass('after-commit');
    if (this.#migrating) this.#pass('migration:after-commit');
    this.#migrating = false;
    if (this.#checkpointKiller !== undefined && this.#trapdoor.isDue('checkpoint')) {
      const mode = (this.#trapdoor.trap?.chance ?? 0) < 0.7 ? 'PASSIVE' : 'TRUNCATE';
      this.#checkpointKiller.during(this.#trapdoor.trap?.chance ?? 0, () =>
        this.#handle.exec(`PRAGMA wal_checkpoint(${mode})`),
      );
    }
    return result;
  }

  #make<T>(commit: () => T): T {
    if (this.#planted === 'no-transaction') return undefined as T;
    if (this.#planted !== 'reply-before-commit' || !this.#serving) return commit();
    this.#owed = commit;
    setTimeout(() => this.#pay(), 5);
    return undefined as T;
  }

  #pay(): void {
    this.#owed?.();
    this.#owed = undefined;
  }

  close(): void {
    this.#pay();
    this.#handle.close();
  }
}

/**
 * A thread that kills its process while the main thread is inside SQLite: shared[0] is 1 while it is, and shared[1]
 * the delay in microseconds. A string, because a thread of a file would need a loader for TypeScript first.
 */
const killerThread = `
  const { workerData } = require('node:worker_threads');
  const shared = new Int32Array(workerData);
  for (;;) {
    Atomics.wait(shared, 0, 0);
    const until = performance.now() + shared[1] / 1000;
    while (performance.now() < until);
    if (Atomics.load(shared, 0) === 1) process.kill(process.pid, 'SIGKILL');
    Atomics.wait(shared, 0, 1);
  }
`;

class CheckpointKiller {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  #microseconds = 0;

  constructor() {
    const thread = new Worker(killerThread, { eval: true, workerData: this.#shared.buffer });
    thread.unref();
  }

  /** The first checkpoint is only measured; the kill then falls somewhere in one of the next. */
  during(chance: number, checkpoint: () => void): void {
    const started = performance.now();
    if (this.#microseconds === 0) {
      checkpoint();
      this.#microseconds = Math.max(1, (performance.now() - started) * 1_000);
      return;
    }
    Atomics.store(this.#shared, 1, Math.floor(chance * this.#microseconds));
    Atomics.store(this.#shared, 0, 1);
    Atomics.notify(this.#shared, 0);
    try {
      checkpoint();
    } finally {
      Atomics.store(this.#shared, 0, 0);
      Atomics.notify(this.#shared, 0);
    }
    // It got away: the next time sooner.
    this.#microseconds *= 0.7;
  }
}
