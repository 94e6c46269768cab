/** The pool behind a store, and every question to it. Every error leaves here as a StoreError. */
import { CommitLanes, isUnsent, unsent } from '../commit-lanes.ts';
import { fenceGoneState, isAnswer, sqlStateOf, storeErrorOf } from './errors.ts';
import { answerMsMax, clientOf, giveBack, types } from './driver.ts';
import type { PooledClient, PostgresPool, PostgresResult, SqlRow, SqlValue } from './driver.ts';
import { StoreError } from '../store.ts';
import { Turns } from '../turns.ts';

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
  readonly #turns: Turns;
  readonly #lanes: CommitLanes;
  #open = true;
  /** Round trips so far, for measurements. */
  queries = 0;

  constructor(pool: PostgresPool, schema: string, description: string) {
    this.#pool = pool;
    const { options } = pool as { readonly options?: { readonly max?: number } };
    this.#turns = new Turns(options?.max ?? Infinity);
    this.schema = `"${schema.replaceAll('"', '""')}"`;
    this.description = description;
    this.#lanes = new CommitLanes({
      newFence: () => this.#newFence(),
      deleteFences: async (fences) => {
        await this.#again(`DELETE FROM ${this.schema}.fences WHERE fence = ANY ($1::bigint[])`, [
          fences,
        ]);
      },
      verdictOn: (cause) => {
        if (sqlStateOf(cause) === fenceGoneState) return 'fenceGone';
        return isAnswer(cause) ? 'undone' : 'unknown';
      },
      errorOf: (cause) => storeErrorOf(cause, description),
    });
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
    const { rows } = await this.#lanes.commit((fence) => this.#query(text, values(fence)));
    return rows[0] as SqlRow;
  }

  close(): Promise<void> {
    this.#open = false;
    return this.#lanes.close();
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
      await this.#lanes.settle();
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

  #query(text: string, values: readonly SqlValue[]): Promise<PostgresResult> {
    return this.#turns.take(() => this.#ask(text, values));
  }

  async #ask(text: string, values: readonly SqlValue[]): Promise<PostgresResult> {
    let client: PooledClient;
    try {
      client = await clientOf(this.#pool);
    } catch (cause) {
      throw unsent(storeErrorOf(cause, this.description));
    }
    this.queries += 1;
    let broken = false;
    try {
      return await client.query({ text, values, types, query_timeout: answerMsMax });
    } catch (cause) {
      broken = !isAnswer(cause);
      throw cause;
    } finally {
      giveBack(client, broken);
    }
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
}
