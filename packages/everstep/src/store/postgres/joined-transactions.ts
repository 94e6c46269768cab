/**
 * Transactions of the application on a client of its own to the same database. What is written there is the
 * application's to commit: no statement here begins, ends or undoes anything. A NOTIFY in the transaction is delivered
 * with its commit, to this process as well.
 */
import { PostgresCommit } from './commit.ts';
import type { PostgresQuestions } from './database.ts';
import { types } from './driver.ts';
import type { PostgresQuery, PostgresResult, SqlRow, SqlValue } from './driver.ts';
import { conflictState, sqlStateOf, storeErrorOf } from './errors.ts';
import { postgresHistory } from './history.ts';
import { postgresOutbox } from './outbox.ts';
import { postgresRuns } from './runs.ts';
import { postgresTasks } from './tasks.ts';
import { StoreError } from '../store.ts';
import type { JoinedStore } from '../store.ts';

/**
 * The fence of every commit in a transaction of an application. It is never deleted: with a lost answer the connection
 * is lost, and with that the whole transaction.
 */
export const joinedFence = 0;

/** What is told at the commit; a sender that no store is. */
const sender = 'transaction';
const failedState = '25P02';
const noTransactionState = '25P01';

interface ApplicationClient {
  query(query: PostgresQuery): Promise<PostgresResult | undefined> | undefined;
  /** Absent in a `pg` before 8.18. T: in a transaction, E: in one that has failed, I: in none. */
  getTransactionStatus?(): string | null;
  /** Of a pool. */
  readonly totalCount?: number;
}

interface Joined {
  readonly questions: JoinedClient;
  readonly store: JoinedStore;
}

export interface JoinedTransactionsOptions {
  readonly description: string;
  /** Quoted, for SQL. */
  readonly schema: string;
  /** Kept with the joined fence; no other schema has it. */
  readonly mark: string;
  readonly channel: string;
}

export class JoinedTransactions {
  readonly #options: JoinedTransactionsOptions;
  readonly #joined = new WeakMap<ApplicationClient, Joined>();

  constructor(options: JoinedTransactionsOptions) {
    this.#options = options;
  }

  /** @throws StoreError STORE_TRANSACTION_INVALID. */
  async join(transaction: unknown): Promise<JoinedStore> {
    const client = this.#clientOf(transaction);
    let joined = this.#joined.get(client);
    if (joined === undefined) {
      joined = await this.#join(client);
      this.#joined.set(client, joined);
    }
    await this.#expectTransaction(client, joined.questions);
    return joined.store;
  }

  async #join(client: ApplicationClient): Promise<Joined> {
    const questions = new JoinedClient(client, this.#options);
    await this.#expectSameDatabase(questions);
    const commit = new PostgresCommit(questions);
    const store: JoinedStore = {
      failure: undefined,
      runs: postgresRuns(questions),
      history: postgresHistory(questions),
      tasks: postgresTasks(questions),
      outbox: postgresOutbox(questions),
      commit: (groups) => commit.commit(groups),
    };
    return { questions, store };
  }

  #clientOf(transaction: unknown): ApplicationClient {
    const { query, totalCount } = Object(transaction) as Partial<ApplicationClient>;
    if (typeof totalCount === 'number') {
      throw invalid(
        'tx is a Pool, whose statements go to any of its connections. Take one (await pool.connect()), BEGIN on it, and give that client',
      );
    }
    if (typeof query === 'function') return transaction as ApplicationClient;
    throw invalid(
      'tx has no method query(). Give the client of the package pg on which your transaction was begun, from new Client() or pool.connect()',
    );
  }

  async #expectSameDatabase(questions: JoinedClient): Promise<void> {
    const { schema, description, mark } = this.#options;
    const [found] = await questions.read('SELECT to_regclass($1) IS NOT NULL AS is_there', [
      `${schema}.fences`,
    ]);
    const [row] =
      found?.['is_there'] === true ? await questions.read(markSql(schema), [joinedFence]) : [];
    if (row?.['mark'] === mark) return;
    throw invalid(
      `tx is connected to another database than the ${description}, or one whose schema ${schema} is not that of the tasks. Begin your transaction in the database of the store`,
    );
  }

  async #expectTransaction(client: ApplicationClient, questions: JoinedClient): Promise<void> {
    if (client.getTransactionStatus?.() === 'T') return;
    try {
      await questions.ask('SAVEPOINT everstep');
      await questions.ask('RELEASE SAVEPOINT everstep');
    } catch (error) {
      if (sqlStateOf((error as StoreError).cause) !== noTransactionState) throw error;
      throw invalid(
        'tx is in no transaction. BEGIN one on it first, and COMMIT when submit() has answered',
      );
    }
  }
}

/** The mark of the schema, kept with a fence. */
export function markSql(schema: string): string {
  return `SELECT extract(epoch FROM created_at)::text AS mark FROM ${schema}.fences WHERE fence = $1`;
}

class JoinedClient implements PostgresQuestions {
  readonly schema: string;
  readonly description: string;
  readonly #client: ApplicationClient;
  readonly #channel: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    client: ApplicationClient,
    { schema, description, channel }: JoinedTransactionsOptions,
  ) {
    this.#client = client;
    this.schema = schema;
    this.description = description;
    this.#channel = channel;
  }

  async read(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    return (await this.ask(text, values)).rows;
  }

  async write(text: string, values: readonly SqlValue[] = []): Promise<number> {
    return (await this.ask(text, values)).rowCount ?? 0;
  }

  once(text: string, values: readonly SqlValue[] = []): Promise<PostgresResult> {
    return this.ask(text, values);
  }

  async commit(text: string, values: (fence: number) => readonly SqlValue[]): Promise<SqlRow> {
    const all = values(joinedFence);
    const { rows } = await this.ask(
      `SELECT written.*, pg_notify($${all.length + 1}, $${all.length + 2}) FROM (${text}) AS written`,
      [...all, this.#channel, sender],
    );
    return rows[0] as SqlRow;
  }

  /** One question after the other: a client has no queue of its own any more, from the next major `pg` on. */
  ask(text: string, values: readonly SqlValue[] = []): Promise<PostgresResult> {
    const asked = this.#last.then(() => this.#ask(text, values));
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  async #ask(text: string, values: readonly SqlValue[]): Promise<PostgresResult> {
    let result: PostgresResult | undefined;
    try {
      result = await this.#client.query({ text, values, types });
    } catch (cause) {
      throw joinedErrorOf(cause, this.description);
    }
    if (Array.isArray(result?.rows)) return result;
    throw invalid('tx does not answer as a client of the package pg does');
  }
}

function joinedErrorOf(cause: unknown, description: string): StoreError {
  switch (sqlStateOf(cause)) {
    case conflictState:
      return new StoreError(
        'STORE_BUSY',
        `Another process has changed a run of the ${description} on which the transaction rests.`,
        { cause },
      );
    case failedState:
      return new StoreError(
        'STORE_TRANSACTION_INVALID',
        'tx is in a transaction that has failed already. Roll it back, and begin another.',
        { cause },
      );
    default:
      return storeErrorOf(cause, description);
  }
}

function invalid(what: string): StoreError {
  return new StoreError(
    'STORE_TRANSACTION_INVALID',
    `${what}. Nothing was written in the transaction.`,
  );
}
