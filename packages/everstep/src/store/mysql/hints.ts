/**
 * Hints between processes: a number that whoever rings counts up, and whoever listens reads. It is read often after
 * something was heard or rung here, and ever more rarely after that; when nothing has been for some seconds it is not
 * read at all, and work of others is found by the engine's look every second.
 */
import type { Store } from '../store.ts';

const ringsApartMs = 10;
const readsApartMsMin = 10;
const readsApartMsMax = 1_000;
/** Reads are that part of the quiet time apart, so that a hint is late by that part of what was waited for anyway. */
const partOfQuiet = 8;

export interface MysqlHintsOptions {
  /** Counts the number up; what it was counted to. */
  readonly ring: () => Promise<number>;
  readonly read: () => Promise<number>;
}

export class MysqlHints implements Readonly<Store['hints']> {
  readonly #options: MysqlHintsOptions;
  readonly #listeners = new Set<() => void>();
  /** The number when it was last read here, own rings included. */
  #seen: number | undefined;
  #lastHeard = performance.now();
  #next: NodeJS.Timeout | undefined;
  #reading = false;
  #rung = false;
  #ringing: Promise<void> | undefined;
  #closed = false;

  constructor(options: MysqlHintsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#seen = await this.#options.read();
  }

  ring(): void {
    this.#rung = true;
    this.#ringing ??= this.#ringOn().finally(() => {
      this.#ringing = undefined;
    });
    this.#heard();
  }

  /** For what this process is to look for as well. */
  ringAll(): void {
    this.ring();
    for (const listener of this.#listeners) listener();
  }

  listen(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    this.#heard();
    return () => {
      this.#listeners.delete(own);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    clearTimeout(this.#next);
    // What was rung and not yet counted is not lost with us.
    await this.#ringing;
  }

  async #ringOn(): Promise<void> {
    while (this.#rung) {
      this.#rung = false;
      try {
        this.#found(await this.#options.ring(), 1);
      } catch {
        // A hint may be lost: an acknowledged write must not look failed.
      }
      if (this.#rung && !this.#closed) {
        await new Promise<void>((resolve) => setTimeout(resolve, ringsApartMs).unref());
      }
    }
  }

  /** Something goes on: the number is read often again. */
  #heard(): void {
    this.#lastHeard = performance.now();
    if (this.#reading) return;
    clearTimeout(this.#next);
    this.#readLater();
  }

  #readLater(): void {
    if (this.#closed || this.#listeners.size === 0) return;
    const apart = (performance.now() - this.#lastHeard) / partOfQuiet;
    if (apart > readsApartMsMax) return;
    this.#next = setTimeout(() => void this.#read(), Math.max(apart, readsApartMsMin));
    this.#next.unref();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      this.#found(await this.#options.read(), 0);
    } catch {
      // The engine looks for itself every second.
    }
    this.#reading = false;
    this.#readLater();
  }

  /** `own`: how far we have counted it ourselves just now. */
  #found(rung: number, own: number): void {
    const before = this.#seen;
    // Answers may come in another order than they were given.
    if (before !== undefined && rung <= before) return;
    this.#seen = rung;
    if (before === undefined || rung === before + own || this.#closed) return;
    this.#lastHeard = performance.now();
    for (const listener of this.#listeners) listener();
  }
}
