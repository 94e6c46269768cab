/**
 * Whether the database under its path is still the one that was opened. SQLite goes on writing to a file that was
 * deleted or replaced, and says nothing: what it acknowledges then is gone with the process.
 */
import { statSync } from 'node:fs';
import { StoreError } from '../store.ts';

const looksApartMs = 1_000;

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}
type Found = Identity | 'missing' | undefined;

export class FileWatch {
  readonly #path: string;
  readonly #now: () => number;
  readonly #database: Found;
  readonly #wal: Found;
  #lookedAt: number;
  #lost = false;

  /** Right after the database was opened, and its WAL with it. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#now = now;
    this.#database = identityOf(path);
    this.#wal = identityOf(walOf(path));
    this.#lookedAt = now();
  }

  /** The database itself is not there any more; without its WAL alone, what that held can still be brought home. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** At most once a second: what is wrong, if anything. */
  look(): StoreError | undefined {
    const now = this.#now();
    if (now - this.#lookedAt < looksApartMs) return undefined;
    this.#lookedAt = now;
    if (!isSame(this.#database, identityOf(this.#path))) {
      this.#lost = true;
      return fileLost(this.#path);
    }
    const wal = walOf(this.#path);
    // As long as a connection is open nobody else removes its WAL, so this one was taken from us.
    return isSame(this.#wal, identityOf(wal)) ? undefined : fileLost(wal);
  }
}

function walOf(path: string): string {
  return `${path}-wal`;
}

/** 'missing', or undefined when the file system does not say: only what is known to be lost counts as lost. */
function identityOf(path: string): Found {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? 'missing';
  } catch {
    return undefined;
  }
}

function isSame(opened: Found, found: Found): boolean {
  if (found === undefined || opened === undefined || opened === 'missing') return true;
  return found !== 'missing' && found.dev === opened.dev && found.ino === opened.ino;
}

function fileLost(file: string): StoreError {
  return new StoreError(
    'STORE_FILE_LOST',
    `The file ${file} was deleted, moved or replaced while this process had it open, so nothing more is written. ` +
      `Stop every process that uses it, put the file or a backup in place, and start again.`,
    { cause: { file } },
  );
}
