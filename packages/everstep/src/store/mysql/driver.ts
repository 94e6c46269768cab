/**
 * The one seam to `mysql2`: the part of it that the store uses, so that an application may hand over a pool of its
 * own. The package is an optional peer, loaded when a URL asks for it.
 */
import { StoreError } from '../store.ts';

/** A server that does not answer for that long is gone. */
const answerMsMax = 30_000;

export type SqlRow = Readonly<Record<string, unknown>>;

/** What a statement answers: rows, or what it changed. */
export type MysqlResult = readonly SqlRow[] | MysqlChange;

export interface MysqlChange {
  readonly affectedRows: number;
  readonly insertId: number;
  /** Bits of the protocol: 1, in a transaction; 2, each statement is one. */
  readonly serverStatus?: number;
}

interface Field {
  readonly type: string;
  readonly name: string;
  string(encoding?: BufferEncoding): string | null;
  buffer(): Uint8Array | null;
}

interface MysqlQuery {
  readonly sql: string;
  readonly timeout: number;
  readonly typeCast: (field: Field) => unknown;
}

/** A connection that was taken from a pool. */
export interface MysqlConnection {
  query(query: MysqlQuery): Promise<readonly [unknown, unknown]>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  release(): void;
  destroy(): void;
}

/** A pool of `mysql2/promise`, or one that behaves as such. */
export interface MysqlPool {
  getConnection(): Promise<unknown>;
  end(): Promise<void>;
}

/** A pool that the store makes. */
interface OwnPool extends MysqlPool {
  on(event: 'connection', listener: (connection: NewConnection) => void): unknown;
}

interface NewConnection {
  query(sql: string, done: () => void): unknown;
}

/** A pool of `mysql2`, which gives the other one on request. */
export interface MysqlCallbackPool {
  promise(): MysqlPool;
}

export interface MysqlDriver {
  createPool(settings: object): OwnPool;
}

export async function loadDriver(description: string): Promise<MysqlDriver> {
  try {
    return (await import('mysql2/promise')) as unknown as MysqlDriver;
  } catch (cause) {
    throw new StoreError(
      'STORE_DRIVER_MISSING',
      `The ${description} cannot be opened: the package mysql2 could not be loaded. Install it (npm install mysql2).`,
      { cause },
    );
  }
}

export function promisePool(pool: MysqlPool | MysqlCallbackPool): MysqlPool {
  return 'promise' in pool && typeof pool.promise === 'function'
    ? pool.promise()
    : (pool as MysqlPool);
}

interface PoolConfig {
  readonly connectionLimit?: number;
  readonly connectionConfig?: { readonly multipleStatements?: boolean };
}

/** Of the server's settings, which may be others: what a commit waits for, and that nothing is cut to fit. */
const sessionSql = `SET SESSION innodb_lock_wait_timeout = 20, sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES')`;

/** A pool whose connections are as the store wants them, whatever the server's settings. */
export function ownPool(driver: MysqlDriver, settings: object): MysqlPool {
  const pool = driver.createPool(settings);
  // Asked before anything else on that connection; what it answers can be told by what is asked next.
  pool.on('connection', (connection) => connection.query(sessionSql, () => undefined));
  return pool;
}

/** What a pool was made with, as far as it tells. */
export function configOf(pool: MysqlPool): PoolConfig {
  const { pool: core } = pool as { readonly pool?: { readonly config?: PoolConfig } };
  return core?.config ?? {};
}

/** Asks as the store wants its answers, whatever the pool was made with. */
export async function ask(connection: MysqlConnection, sql: string): Promise<unknown> {
  const [results] = await connection.query({ sql, timeout: answerMsMax, typeCast });
  return results;
}

/** Ids are kept as bytes, so the server does not tell them from other bytes. */
const byteColumns = new Set(['state', 'bytes', 'memo', 'search_attributes', 'config']);

/** How the store reads a column. */
export function typeCast(field: Field): unknown {
  switch (field.type) {
    case 'TINY':
    case 'SHORT':
    case 'INT24':
    case 'LONG':
    case 'LONGLONG':
    case 'FLOAT':
    case 'DOUBLE':
    case 'DECIMAL':
    case 'NEWDECIMAL': {
      const text = field.string();
      return text === null ? null : Number(text);
    }
    default: {
      if (!byteColumns.has(field.name)) return field.string('utf8');
      const bytes = field.buffer();
      // What the driver gives is a part of what came over the network, all of which it would keep.
      return bytes === null ? null : new Uint8Array(bytes);
    }
  }
}
