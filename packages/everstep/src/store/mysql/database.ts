/**
 * The pool behind a store, and every question to it. Every error leaves here as a StoreError.
 *
 * A transaction goes to the server in one packet, from its START to its COMMIT, so that no lock waits for this process.
 * The server stops at the first statement that fails; what came before it is rolled back. A pool without
 * `multipleStatements`, and a packet that the server would not take, go statement by statement.
 */
import { CommitLanes, isUnsent, unsent } from '../commit-lanes.ts';
import { StoreError } from '../store.ts';
import { Turns } from '../turns.ts';
import { ask, configOf } from './driver.ts';
import type { MysqlChange, MysqlConnection, MysqlPool, MysqlResult, SqlRow } from './driver.ts';
import { duplicate, errorNumberOf, isAnswer, isPassing, storeErrorOf } from './errors.ts';
import { listOf, literal } from './literal.ts';

const begin = ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', 'START TRANSACTION'];
const triesMax = 5;
const numbersAtOnce = 1_000;

const tableNames = [
  'migrations',
  'runs',
  'visibility',
  'history',
  'tasks',
  'outbox',
  'mail',
  'processes',
  'namespaces',
  'namespace_numbers',
  'fences',
  'refusals',
  'number_blocks',
  'hints',
] as const;

export type Tables = Readonly<Record<(typeof tableNames)[number], string>>;

/** Quoted, for SQL. */
export function tablesOf(prefix: string): Tables {
  return Object.fromEntries(tableNames.map((name) => [name, `\`${prefix}${name}\``])) as never;
}

/** A commit that did not find what it expects, with what was found instead. */
export class MysqlRefusal extends Error {
  /** Of the statements that were to tell. */
  readonly found: readonly (readonly SqlRow[])[];
  readonly isFenceGone: boolean;

  constructor(cause: unknown, found: readonly (readonly SqlRow[])[], isFenceGone: boolean) {
    super('The commit did not find what it expects.', { cause });
    this.found = found;
    this.isFenceGone = isFenceGone;
  }
}

/** Questions to the tables of a prefix: through the pool, or inside a transaction of the application. */
export interface MysqlQuestions {
  readonly description: string;
  readonly tables: Tables;
  /** With what reads of runs and histories end: nothing, or what makes them see all that is committed by now. */
  readonly sharing: string;
  /** Asks what may be asked twice. */
  read(sql: string): Promise<readonly SqlRow[]>;
  /** The same for a statement that writes and may be made twice; how many rows it found. */
  write(sql: string): Promise<number>;
  /** Asks once. */
  once(sql: string): Promise<MysqlChange>;
  /** Statements in one transaction, asked once. */
  together(statements: readonly string[]): Promise<readonly MysqlResult[]>;
  /** A commit: `statements` gets what selects the row of its fence, if it has one. Throws a MysqlRefusal. */
  commit(
    statements: (fence: string | undefined) => readonly string[],
    look: readonly string[],
  ): Promise<void>;
  /** What was found instead does not say why a commit was refused: reads do not see all that is committed. */
  isBehind(): void;
  /** The number of that namespace, which is given one if it has none. */
  namespaceNumber(namespaceId: string): Promise<number>;
  /** The same as SQL, which is NULL where it has none. */
  namespaceSql(namespaceId: string): string;
  /** The first of that many numbers that nobody else has. */
  numbers(count: number): Promise<number>;
}

export interface MysqlDatabaseOptions {
  readonly pool: MysqlPool;
  readonly prefix: string;
  readonly description: string;
  /** What the server takes at once. */
  readonly packetBytesMax: number;
}

export class MysqlDatabase implements MysqlQuestions {
  readonly description: string;
  readonly tables: Tables;
  /** Each read sees what is committed when it begins. */
  readonly sharing = '';
  readonly packetBytesMax: number;
  readonly #pool: MysqlPool;
  readonly #turns: Turns;
  readonly #lanes: CommitLanes;
  readonly #takesSeveral: boolean;
  readonly #namespaces = new Map<string, number>();
  #nextNumber = 0;
  #endOfNumbers = 0;
  #fetching: Promise<void> | undefined;
  #open = true;
  /** Round trips so far, for measurements. */
  queries = 0;

  constructor({ pool, prefix, description, packetBytesMax }: MysqlDatabaseOptions) {
    this.#pool = pool;
    this.description = description;
    this.tables = tablesOf(prefix);
    this.packetBytesMax = packetBytesMax;
    const { connectionLimit, connectionConfig } = configOf(pool);
    this.#turns = new Turns(connectionLimit || Infinity);
    this.#takesSeveral = connectionConfig?.multipleStatements === true;
    this.#lanes = new CommitLanes({
      newFence: () => this.#newFence(),
      deleteFences: async (fences) => {
        await this.#again(`DELETE FROM ${this.tables.fences} WHERE fence IN ${listOf(fences)}`);
      },
      verdictOn: (cause) => {
        if (cause instanceof MysqlRefusal) return cause.isFenceGone ? 'fenceGone' : 'undone';
        return isAnswer(cause) ? 'undone' : 'unknown';
      },
      errorOf: (cause) => storeErrorOf(cause, description),
    });
  }

  /** Asks what may be asked twice: a connection that turns out to be dead is replaced. */
  async read(sql: string): Promise<readonly SqlRow[]> {
    return (await this.#checked(() => this.#again(sql))) as readonly SqlRow[];
  }

  /** The same for a statement that writes and may be made twice; how many rows it found. */
  async write(sql: string): Promise<number> {
    return ((await this.#checked(() => this.#again(sql))) as MysqlChange).affectedRows;
  }

  /** Asks once. */
  async once(sql: string): Promise<MysqlChange> {
    return (await this.#checked(() => this.#patiently(() => this.#query(sql)))) as MysqlChange;
  }

  /** Statements in one transaction, asked once. */
  async together(statements: readonly string[]): Promise<readonly MysqlResult[]> {
    return this.#checked(() => this.#patiently(() => this.#transaction(statements)));
  }

  /**
   * A commit on a lane of its own. Throws a MysqlRefusal with what `look` finds when the server refused it, what the
   * driver throws when it was undone, and a StoreError when it is not known what became of it.
   */
  async commit(
    statements: (fence: string | undefined) => readonly string[],
    look: readonly string[],
  ): Promise<void> {
    this.#check();
    await this.#lanes.commit(async (number) => {
      const fence = `SELECT fence FROM ${this.tables.fences} WHERE fence = ${number}`;
      await this.#transaction(statements(fence), [fence, ...look]);
    });
  }

  isBehind(): void {}

  /** The number of that namespace, if this process has asked for it. */
  knownNamespace(namespaceId: string): number | undefined {
    return this.#namespaces.get(namespaceId);
  }

  /** The number of that namespace, which is given one if it has none. */
  async namespaceNumber(namespaceId: string): Promise<number> {
    const known = this.#namespaces.get(namespaceId);
    if (known !== undefined) return known;
    const number = await numberOf(this, namespaceId, '');
    this.#namespaces.set(namespaceId, number);
    return number;
  }

  /** The same as SQL, which is NULL where it has none. */
  namespaceSql(namespaceId: string): string {
    const known = this.#namespaces.get(namespaceId);
    return known === undefined ? numberSql(this.tables, namespaceId) : String(known);
  }

  /** The first of that many numbers that nobody else has. */
  async numbers(count: number): Promise<number> {
    while (this.#endOfNumbers - this.#nextNumber < count) {
      await (this.#fetching ??= this.#fetchNumbers(Math.max(count, numbersAtOnce)).finally(() => {
        this.#fetching = undefined;
      }));
    }
    const first = this.#nextNumber;
    this.#nextNumber += count;
    return first;
  }

  async close(): Promise<void> {
    this.#open = false;
    await this.#lanes.close();
  }

  #check(): void {
    if (!this.#open) {
      throw new StoreError(
        'STORE_CLOSED',
        `The ${this.description} is closed. Open the store again before using it.`,
      );
    }
  }

  async #checked<T>(work: () => Promise<T>): Promise<T> {
    this.#check();
    try {
      await this.#lanes.settle();
      return await work();
    } catch (cause) {
      throw storeErrorOf(cause, this.description);
    }
  }

  /** What the server undid because of others is tried again. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (cause) {
        if (!isPassing(cause) || tries >= triesMax) throw cause;
      }
    }
  }

  #again(sql: string): Promise<MysqlResult> {
    return this.#patiently(async () => {
      try {
        return await this.#query(sql);
      } catch (cause) {
        if (isAnswer(cause) || isUnsent(cause)) throw cause;
        return this.#query(sql);
      }
    });
  }

  #query(sql: string): Promise<MysqlResult> {
    return this.#onConnection(
      async (connection) => (await this.#ask(connection, [sql]))[0] as MysqlResult,
    );
  }

  /** What is answered to the statements; `look` is asked, after the transaction, when a duplicate was refused. */
  #transaction(
    statements: readonly string[],
    look?: readonly string[],
  ): Promise<readonly MysqlResult[]> {
    return this.#onConnection(async (connection) => {
      try {
        const results = await this.#ask(connection, [...begin, ...statements, 'COMMIT']);
        return results.slice(begin.length, -1);
      } catch (cause) {
        if (!isAnswer(cause)) throw cause;
        const isRefused = look !== undefined && errorNumberOf(cause) === duplicate;
        // A failed statement leaves the transaction open, with all that came before it.
        const [, ...found] = await this.#ask(connection, [
          'ROLLBACK',
          ...(isRefused ? look : []),
        ]).catch((error: unknown) => {
          connection.destroy();
          throw isRefused ? unsent(storeErrorOf(error, this.description)) : cause;
        });
        if (!isRefused) throw cause;
        const [fence, ...rest] = found as readonly (readonly SqlRow[])[];
        throw new MysqlRefusal(cause, rest, fence?.length === 0);
      }
    });
  }

  /** In one packet where that goes. */
  async #ask(
    connection: MysqlConnection,
    statements: readonly string[],
  ): Promise<readonly MysqlResult[]> {
    for (const { length } of statements)
      if (length >= this.packetBytesMax) throw this.#tooLarge(length);
    if (statements.length > 1 && this.#takesSeveral) {
      const packet = statements.join(';\n');
      if (packet.length < this.packetBytesMax) {
        this.queries += 1;
        return (await ask(connection, packet)) as readonly MysqlResult[];
      }
    }
    const results: MysqlResult[] = [];
    for (const statement of statements) {
      this.queries += 1;
      results.push((await ask(connection, statement)) as MysqlResult);
    }
    return results;
  }

  /** Said before anything is sent: the server would end the connection in the middle of it. */
  #tooLarge(length: number): Error {
    return unsent(
      new StoreError(
        'STORE_FAILED',
        `The ${this.description} takes ${this.packetBytesMax} bytes at once (max_allowed_packet), and this write has a statement of ${length}, in which values count twice. Nothing was written. Raise max_allowed_packet, or keep large values elsewhere and pass their address.`,
      ),
    );
  }

  #onConnection<T>(work: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      let connection: MysqlConnection;
      try {
        connection = (await this.#pool.getConnection()) as MysqlConnection;
      } catch (cause) {
        throw unsent(storeErrorOf(cause, this.description));
      }
      // Without a listener the loss of a connection would take the process with it; the query tells of it.
      const ignore = (): void => undefined;
      connection.on('error', ignore);
      let lives = true;
      try {
        return await work(connection);
      } catch (cause) {
        lives = isAnswer(cause) || isUnsent(cause) || cause instanceof MysqlRefusal;
        throw cause;
      } finally {
        connection.off('error', ignore);
        if (lives) connection.release();
        else connection.destroy();
      }
    });
  }

  async #newFence(): Promise<number> {
    try {
      const made = await this.#query(`INSERT INTO ${this.tables.fences} () VALUES ()`);
      return (made as MysqlChange).insertId;
    } catch (cause) {
      throw unsent(storeErrorOf(cause, this.description));
    }
  }

  async #fetchNumbers(count: number): Promise<void> {
    const { insertId } = await this.once(
      `UPDATE ${this.tables.number_blocks} SET next = LAST_INSERT_ID(next) + ${count} WHERE one = 1`,
    );
    this.#nextNumber = insertId;
    this.#endOfNumbers = insertId + count;
  }
}

/** The number of that namespace, from the database; `sharing`: with what it is read when it was just made. */
export async function numberOf(
  db: Pick<MysqlQuestions, 'tables' | 'read' | 'write'>,
  namespaceId: string,
  sharing: string,
): Promise<number> {
  const select = `SELECT namespace FROM ${db.tables.namespace_numbers} WHERE namespace_id = ${literal(namespaceId)}`;
  let [row] = await db.read(select);
  if (row === undefined) {
    await db.write(
      `INSERT INTO ${db.tables.namespace_numbers} (namespace_id) VALUES (${literal(namespaceId)})
       ON DUPLICATE KEY UPDATE namespace = namespace`,
    );
    [row] = await db.read(`${select}${sharing}`);
  }
  return row?.['namespace'] as number;
}

/** NULL where it has none. */
export function numberSql(tables: Tables, namespaceId: string): string {
  return `(SELECT namespace FROM ${tables.namespace_numbers} WHERE namespace_id = ${literal(namespaceId)})`;
}
