/**
 * The pool behind a store, and every question to it. Every error leaves here as a StoreError.
 *
 * Commits go by lanes. A lane has a fence, a row that each of its commits locks: when the answer to a commit is lost,
 * the row is deleted before anything else is asked. That waits for the commit if the server still works on it, and
 * refuses it if it comes later. So what is read afterwards is what became of it.
 */
import { fenceGoneState, isAnswer, sqlStateOf, storeErrorOf } from './errors.ts';
import { answerMsMax, types } from './driver.ts';
import type { PooledClient, PostgresPool, PostgresResult, SqlRow, SqlValue } from './driver.ts';
import { StoreError } from '../store.ts';

/** Commits at the same time. */
const lanesMax = 4;

interface Lane {
  fence: number | undefined;
}

/** Questions to the tables of a schema: through the pool, or inside a transaction of the application. */
export interface PostgresQuestions {
  readonly description: string;
  /** Quoted, for SQL. */
  readonly schema: string;
  /** Asks what may be asked twice. */
  read(text: string, values?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** The same for a statement that writes and may be made twice; how many rows it changed. */
  write(text: string, values?: readonly SqlValue[]): Promise<number>;
  /** Asks once. */
  once(text: string, values?: readonly SqlValue[]): Promise<PostgresResult>;
  /** A commit: `values` gets the fence. */
  commit(text: string, values: (fence: number) => readonly SqlValue[]): Promise<SqlRow>;
}

export class PostgresDatabase implements PostgresQuestions {
  readonly description: string;
  readonly schema: string;
  readonly #pool: PostgresPool;
  readonly #free: Lane[] = [];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  #lanes = 0;
  /** Questions wait here for a connection, and not in the pool, which would give up those that wait for long. */
  readonly #turns: (() => void)[] = [];
  #asking = 0;
  readonly #askingMax: number;
  /** Fences of commits of which it is not known what became of them. */
  readonly #doubts = new Set<number>();
  #settling: Promise<void> | undefined;
  #open = true;
  /** Round trips so far, for measurements. */
  queries = 0;

  constructor(pool: PostgresPool, schema: string, description: string) {
    this.#pool = pool;
    const { options } = pool as { readonly options?: { readonly max?: number } };
    this.#askingMax = options?.max ?? Infinity;
    this.schema = `"${schema.replaceAll('"', '""')}"`;
    this.description = description;
  }

  /** Asks what may be asked twice: a connection that turns out to be dead is replaced. */
  async read(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return (await this.#checked(() => this.#again(text, values))).rows;
  }

  /** The same for a statement that writes and may be made twice; how many rows it changed. */
  async write(text: string, values: readonly SqlValue[] = []): Promise<number> {
    return (await this.#checked(() => this.#again(text, values))).rowCount ?? 0;
  }

  /** Asks once. */
  async once(text: string, values: readonly SqlValue[] = []): Promise<PostgresResult> {
    return this.#checked(() => this.#query(text, values));
  }

  /**
   * A commit on a lane of its own: `values` gets the fence. Throws what the driver throws when the server refused it,
   * and a StoreError when it is not known what became of it.
   */
  async commit(text: string, values: (fence: number) => readonly SqlValue[]): Promise<SqlRow> {
    this.#check();
    if (this.#doubts.size > 0) await this.#settle();
    const lane = await this.#lane();
    try {
      for (;;) {
        const fence = (lane.fence ??= await this.#newFence());
        try {
          const { rows } = await this.#query(text, values(fence));
          return rows[0] as SqlRow;
        } catch (cause) {
          if (sqlStateOf(cause) === fenceGoneState) {
            lane.fence = undefined;
            continue;
          }
          if (isAnswer(cause) || isUnsent(cause)) throw cause;
          lane.fence = undefined;
          this.#doubts.add(fence);
          // Whoever reads now what became of it must not be too early.
          await this.#settle();
          throw storeErrorOf(cause, this.description);
        }
      }
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  close(): Promise<void> {
    this.#open = false;
    const fences = this.#free.flatMap(({ fence }) => fence ?? []);
    if (fences.length === 0) return Promise.resolve();
    return this.#query(`DELETE FROM ${this.schema}.fences WHERE fence = ANY ($1::bigint[])`, [
      fences,
    ]).then(
      () => undefined,
      // Fences are removed by whoever opens the store a week later.
      () => undefined,
    );
  }

  #check(): void {
    if (!this.#open) {
      throw new StoreError(
        'STORE_CLOSED',
        `The ${this.description} is closed. Open the store again before using it.`,
      );
    }
  }

  async #checked(ask: () => Promise<PostgresResult>): Promise<PostgresResult> {
    this.#check();
    try {
      if (this.#doubts.size > 0) await this.#settle();
      return await ask();
    } catch (cause) {
      throw storeErrorOf(cause, this.description);
    }
  }

  async #again(text: string, values: readonly SqlValue[]): Promise<PostgresResult> {
    try {
      return await this.#query(text, values);
    } catch (cause) {
      if (isAnswer(cause) || isUnsent(cause)) throw cause;
      return this.#query(text, values);
    }
  }

  async #query(text: string, values: readonly SqlValue[]): Promise<PostgresResult> {
    if (this.#asking < this.#askingMax) this.#asking += 1;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    try {
      return await this.#ask(text, values);
    } finally {
      const next = this.#turns.shift();
      if (next) next();
      else this.#asking -= 1;
    }
  }

  async #ask(text: string, values: readonly SqlValue[]): Promise<PostgresResult> {
    let client: PooledClient;
    try {
      client = (await this.#pool.connect()) as PooledClient;
    } catch (cause) {
      throw unsent(storeErrorOf(cause, this.description));
    }
    this.queries += 1;
    let broken = false;
    // Without a listener the loss of a connection would take the process with it; the query tells of it.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    try {
      return await client.query({ text, values, types, query_timeout: answerMsMax });
    } catch (cause) {
      broken = !isAnswer(cause);
      throw cause;
    } finally {
      client.off('error', ignore);
      client.release(broken);
    }
  }

  #lane(): Promise<Lane> | Lane {
    const free = this.#free.pop();
    if (free) return free;
    if (this.#lanes < lanesMax) {
      this.#lanes += 1;
      return { fence: undefined };
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #newFence(): Promise<number> {
    const { rows } = await this.#query(
      `INSERT INTO ${this.schema}.fences DEFAULT VALUES RETURNING fence`,
      [],
    ).catch((cause: unknown) => {
      throw unsent(storeErrorOf(cause, this.description));
    });
    return rows[0]?.['fence'] as number;
  }

  #settle(): Promise<void> {
    this.#settling ??= this.#deleteDoubts().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #deleteDoubts(): Promise<void> {
    const fences = [...this.#doubts];
    try {
      await this.#again(`DELETE FROM ${this.schema}.fences WHERE fence = ANY ($1::bigint[])`, [
        fences,
      ]);
    } catch (cause) {
      throw storeErrorOf(cause, this.description);
    }
    for (const fence of fences) this.#doubts.delete(fence);
  }
}

/** Errors of statements that never reached the server. */
const unsentErrors = new WeakSet<object>();

function unsent(error: StoreError): StoreError {
  unsentErrors.add(error);
  return error;
}

export function isUnsent(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && unsentErrors.has(cause);
}
