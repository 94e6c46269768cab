/**
 * Hints between the processes of one machine: a small file beside the database is touched, and watched.
 *
 * A touch is told to the listeners only when another connection has committed since, so that nobody is woken by
 * its own. Where files cannot be watched the database itself is asked, every 50 ms.
 */
import { closeSync, openSync, watch, writeSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { SqliteDatabase } from './database.ts';
import type { Store } from '../store.ts';

const touchesApartMs = 1;
const pollMs = 50;

export class SqliteHints implements Readonly<Store['hints']> {
  readonly path: string;
  readonly #db: SqliteDatabase;
  readonly #listeners = new Set<() => void>();
  readonly #watched: boolean;
  #file: number | undefined;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #cooling: NodeJS.Timeout | undefined;
  #rungAgain = false;
  #seen: number;

  constructor(db: SqliteDatabase, options: { readonly watch: boolean }) {
    this.#db = db;
    this.path = `${db.path}-hint`;
    this.#watched = options.watch;
    this.#seen = db.dataVersion();
    try {
      closeSync(openSync(this.path, 'a'));
      this.#file = openSync(this.path, 'r+');
    } catch {
      // Without the file there are no touches; the others see commits by polling.
      this.#file = undefined;
    }
  }

  ring(): void {
    if (this.#cooling !== undefined) {
      this.#rungAgain = true;
      return;
    }
    this.#touch();
    this.#cooling = setTimeout(() => {
      this.#cooling = undefined;
      if (this.#rungAgain) {
        this.#rungAgain = false;
        this.ring();
      }
    }, touchesApartMs);
    this.#cooling.unref();
  }

  listen(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#watcher === undefined && this.#poll === undefined) this.#start();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  close(): void {
    this.#stop();
    this.#listeners.clear();
    if (this.#cooling !== undefined) clearTimeout(this.#cooling);
    // What was rung and not yet touched is not lost with us.
    if (this.#rungAgain) this.#touch();
    this.#rungAgain = false;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #touch(): void {
    if (this.#file === undefined) return;
    try {
      // Always the first byte: the write is what is watched for, and the file stays small.
      writeSync(this.#file, '.', 0);
    } catch {
      // A hint may be lost: a full disk must not make an acknowledged write look failed.
    }
  }

  #start(): void {
    if (!this.#watched || this.#file === undefined) {
      this.#startPolling();
      return;
    }
    try {
      this.#watcher = watch(this.path, { persistent: false }, () => this.#look());
      this.#watcher.on('error', () => {
        this.#watcher?.close();
        this.#watcher = undefined;
        this.#startPolling();
      });
    } catch {
      this.#startPolling();
    }
  }

  #startPolling(): void {
    this.#poll = setInterval(() => this.#look(), pollMs);
    this.#poll.unref();
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#poll !== undefined) clearInterval(this.#poll);
    this.#poll = undefined;
  }

  #look(): void {
    let version: number;
    try {
      version = this.#db.dataVersion();
    } catch {
      return;
    }
    if (version === this.#seen) return;
    this.#seen = version;
    for (const listener of this.#listeners) listener();
  }
}

/** inotify tells of every write to a file; elsewhere watching is late or loses some. */
export function watchIsReliable(platform: NodeJS.Platform): boolean {
  return platform === 'linux';
}
