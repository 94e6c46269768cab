/**
 * Hints between processes: NOTIFY on a connection of its own, outside every transaction that matters, at most one at
 * a time. A hint may be lost, with the connection or before it; a look every second makes up for it.
 */
import { answerMsMax } from './driver.ts';
import type { PostgresClient } from './driver.ts';
import type { Store } from '../store.ts';

const ringsApartMs = 2;
const reconnectMs = 1_000;

export interface PostgresHintsOptions {
  /** Undefined: the pool cannot make a connection of its own, so nobody rings and nobody hears. */
  readonly connect: (() => PostgresClient) | undefined;
  readonly channel: string;
  /** Of this store, so that it does not hear itself. */
  readonly sender: string;
}

export class PostgresHints implements Readonly<Store['hints']> {
  readonly #options: PostgresHintsOptions;
  readonly #listeners = new Set<() => void>();
  #client: PostgresClient | undefined;
  #connecting: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #rung = false;
  #ringing: Promise<void> | undefined;
  #closed = false;
  /** Round trips so far, for measurements. */
  queries = 0;

  constructor(options: PostgresHintsOptions) {
    this.#options = options;
  }

  /** Resolves when it listens, or has failed to and will try again. */
  start(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  ring(): void {
    this.#rung = true;
    this.#ringing ??= this.#ringOn().finally(() => {
      this.#ringing = undefined;
    });
  }

  listen(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    clearTimeout(this.#again);
    await this.#connecting;
    // What was rung and not yet sent is not lost with us.
    await this.#ringing;
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #ringOn(): Promise<void> {
    while (this.#rung && this.#client !== undefined) {
      this.#rung = false;
      const client = this.#client;
      this.queries += 1;
      try {
        await client.query({
          text: 'SELECT pg_notify($1, $2)',
          values: [this.#options.channel, this.#options.sender],
          query_timeout: answerMsMax,
        });
      } catch {
        // A hint may be lost: an acknowledged write must not look failed.
        this.#lost(client);
      }
      if (this.#rung && !this.#closed) {
        await new Promise<void>((resolve) => setTimeout(resolve, ringsApartMs).unref());
      }
    }
  }

  async #connect(): Promise<void> {
    const { connect, channel, sender } = this.#options;
    if (connect === undefined || this.#closed) return;
    let client: PostgresClient | undefined;
    try {
      const made = connect();
      client = made;
      made.on('error', () => this.#lost(made));
      made.on('end', () => this.#lost(made));
      made.on('notification', (message) => {
        if (message.channel === channel && message.payload !== sender) this.#tell();
      });
      await made.connect();
      // A transaction that only notifies is written to the log too, and need not wait for the disk.
      await made.query({ text: 'SET synchronous_commit = off', query_timeout: answerMsMax });
      await made.query({ text: `LISTEN "${channel}"`, query_timeout: answerMsMax });
      this.#client = made;
    } catch {
      this.#connectLater();
      await client?.end().catch(() => undefined);
    }
  }

  #lost(client: PostgresClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => undefined);
    this.#connectLater();
  }

  #connectLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      void this.start().then(() => {
        // Others may have rung meanwhile.
        if (this.#client !== undefined) this.#tell();
      });
    }, reconnectMs);
    this.#again.unref();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
