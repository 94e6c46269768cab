/**
 * Questions on a connection of the application, inside its transaction. What is written is the application's to
 * commit: no statement here begins or ends a transaction.
 *
 * The server rolls a transaction back by itself (a deadlock), and what comes after that would be committed statement by
 * statement. So every commit first releases a savepoint that was set in the transaction: where that is gone nothing is
 * written.
 */
import { unsent } from '../commit-lanes.ts';
import { StoreError } from '../store.ts';
import { MysqlRefusal, numberOf, numberSql } from './database.ts';
import type { MysqlDatabase, MysqlQuestions, Tables } from './database.ts';
import { typeCast } from './driver.ts';
import type { MysqlChange, MysqlResult, SqlRow } from './driver.ts';
import { duplicate, errorNumberOf, isAnswer, storeErrorOf } from './errors.ts';

const savepoint = 'everstep';
const sharedLock = ' LOCK IN SHARE MODE';
const noSavepoint = 1305;
const deadlock = 1213;
const isInTransaction = 1;
const isAutocommit = 2;

/** Such numbers are above those that processes take in blocks, which begin at 1. */
const joinedNumbersFrom = 2 ** 52;
const numbersAtOnce = 1_000;

interface JoinedQuery {
  readonly sql: string;
  readonly rowsAsArray: false;
  readonly typeCast: typeof typeCast;
}

/** Of the package mysql2, or its promise wrapper, with what the store uses of it. */
export interface ApplicationConnection {
  query(query: JoinedQuery): Promise<readonly [unknown, unknown] | undefined> | undefined;
  readonly config?: { readonly multipleStatements?: boolean };
  readonly connection?: { readonly config?: { readonly multipleStatements?: boolean } };
}

/** Numbers for what is written in such transactions. They need no lock: MySQL gives no row's number twice. */
export class JoinedNumbers {
  #next = 0;
  #end = 0;

  async take(count: number, db: JoinedConnection): Promise<number> {
    if (this.#end - this.#next < count) {
      const { insertId } = await db.once(`INSERT INTO ${db.tables.fences} () VALUES ()`);
      await db.write(`DELETE FROM ${db.tables.fences} WHERE fence = ${insertId}`);
      this.#next = joinedNumbersFrom + insertId * numbersAtOnce;
      this.#end = this.#next + numbersAtOnce;
    }
    const first = this.#next;
    this.#next += count;
    return first;
  }
}

export interface JoinedConnectionOptions {
  readonly connection: ApplicationConnection;
  /** The store's own. */
  readonly db: MysqlDatabase;
  readonly numbers: JoinedNumbers;
}

export class JoinedConnection implements MysqlQuestions {
  readonly description: string;
  readonly tables: Tables;
  readonly #connection: ApplicationConnection;
  readonly #db: MysqlDatabase;
  readonly #numbers: JoinedNumbers;
  readonly #takesSeveral: boolean;
  readonly #namespaces = new Map<string, number>();
  #sharing = '';
  #lastCommit: Promise<unknown> = Promise.resolve();

  constructor({ connection, db, numbers }: JoinedConnectionOptions) {
    this.#connection = connection;
    this.#db = db;
    this.#numbers = numbers;
    this.description = db.description;
    this.tables = db.tables;
    const config = connection.config ?? connection.connection?.config;
    this.#takesSeveral = config?.multipleStatements === true;
  }

  /** A snapshot of the application's transaction is as old as its first read; locking reads see what is there. */
  get sharing(): string {
    return this.#sharing;
  }

  isBehind(): void {
    this.#sharing = sharedLock;
  }

  /** It may be another transaction than that of the last call. Whether it is one. */
  async enter(): Promise<boolean> {
    if (this.#sharing !== '' || this.#namespaces.size > 0) await this.#forgetFormer();
    const { serverStatus } = await this.once(`SAVEPOINT ${savepoint}`);
    if (serverStatus === undefined) throw notOfTheDriver();
    return (serverStatus & isInTransaction) !== 0 || (serverStatus & isAutocommit) === 0;
  }

  /** What was learnt in a transaction holds until its end. */
  async #forgetFormer(): Promise<void> {
    try {
      await this.#ask(`RELEASE SAVEPOINT ${savepoint}`);
    } catch (error) {
      if (errorNumberOf((error as StoreError).cause) !== noSavepoint) throw error;
      this.#sharing = '';
      this.#namespaces.clear();
    }
  }

  async read(sql: string): Promise<readonly SqlRow[]> {
    const rows = await this.#ask(sql);
    if (Array.isArray(rows)) return rows as readonly SqlRow[];
    throw notOfTheDriver();
  }

  async write(sql: string): Promise<number> {
    return (await this.once(sql)).affectedRows;
  }

  async once(sql: string): Promise<MysqlChange> {
    return (await this.#ask(sql)) as MysqlChange;
  }

  async together(statements: readonly string[]): Promise<readonly MysqlResult[]> {
    const results: MysqlResult[] = [];
    for (const statement of statements) results.push(await this.#ask(statement));
    return results;
  }

  /** One after the other: what one undoes must not be another's. */
  commit(
    statements: (fence: string | undefined) => readonly string[],
    look: readonly string[],
  ): Promise<void> {
    const committed = this.#lastCommit.then(() => this.#commit(statements, look));
    this.#lastCommit = committed.catch(() => undefined);
    return committed;
  }

  async #commit(
    statements: (fence: string | undefined) => readonly string[],
    look: readonly string[],
  ): Promise<void> {
    // An answer that is lost takes the connection with it, and so the transaction: there is no need of a fence.
    const all = statements(undefined);
    try {
      await this.#askAll([`RELEASE SAVEPOINT ${savepoint}`, `SAVEPOINT ${savepoint}`, ...all]);
    } catch (error) {
      const { cause } = error as StoreError;
      if (!isAnswer(cause)) throw error;
      if (errorNumberOf(cause) === deadlock || errorNumberOf(cause) === noSavepoint) {
        throw unsent(error as StoreError);
      }
      await this.#ask(`ROLLBACK TO SAVEPOINT ${savepoint}`);
      if (errorNumberOf(cause) !== duplicate) throw unsent(error as StoreError);
      const found: (readonly SqlRow[])[] = [];
      for (const sql of look) found.push(await this.read(`${sql}${this.#sharing}`));
      throw new MysqlRefusal(cause, found, false);
    }
  }

  /** What is found in a transaction may be rolled back with it. */
  async namespaceNumber(namespaceId: string): Promise<number> {
    const known = this.#known(namespaceId);
    if (known !== undefined) return known;
    const number = await numberOf(this, namespaceId, sharedLock);
    this.#namespaces.set(namespaceId, number);
    return number;
  }

  namespaceSql(namespaceId: string): string {
    const known = this.#known(namespaceId);
    return known === undefined ? numberSql(this.tables, namespaceId) : String(known);
  }

  numbers(count: number): Promise<number> {
    return this.#numbers.take(count, this);
  }

  #known(namespaceId: string): number | undefined {
    return this.#db.knownNamespace(namespaceId) ?? this.#namespaces.get(namespaceId);
  }

  async #askAll(statements: readonly string[]): Promise<void> {
    const packet = statements.join(';\n');
    if (this.#takesSeveral && packet.length < this.#db.packetBytesMax) {
      await this.#ask(packet);
      return;
    }
    for (const statement of statements) await this.#ask(statement);
  }

  async #ask(sql: string): Promise<MysqlResult> {
    let answer: readonly [unknown, unknown] | undefined;
    try {
      answer = await this.#connection.query({ sql, rowsAsArray: false, typeCast });
    } catch (cause) {
      throw joinedErrorOf(cause, this.description);
    }
    const result = Array.isArray(answer) ? (answer[0] as unknown) : undefined;
    if (typeof result === 'object' && result !== null) return result as MysqlResult;
    throw notOfTheDriver();
  }
}

function joinedErrorOf(cause: unknown, description: string): StoreError {
  switch (errorNumberOf(cause)) {
    case noSavepoint:
      return new StoreError(
        'STORE_TRANSACTION_INVALID',
        'The transaction of tx has ended while a submit was part of it, or the server has rolled it back. Nothing was written. Await each submit before the COMMIT.',
        { cause },
      );
    case deadlock:
      return new StoreError(
        'STORE_BUSY',
        `The ${description} has rolled the transaction of tx back, because it and another waited for each other. What follows on that connection is in no transaction.`,
        { cause },
      );
    default:
      return storeErrorOf(cause, description);
  }
}

function notOfTheDriver(): StoreError {
  return invalid('tx does not answer as a connection of the package mysql2 does');
}

export function invalid(what: string): StoreError {
  return new StoreError(
    'STORE_TRANSACTION_INVALID',
    `${what}. Nothing was written in the transaction.`,
  );
}
