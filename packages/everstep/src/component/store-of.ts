/** The store that an option names. */
import type { MysqlCallbackPool, MysqlPool } from '../store/mysql/driver.ts';
import { MysqlStore } from '../store/mysql/mysql-store.ts';
import { openStore } from '../store/open-store.ts';
import type { PostgresPool } from '../store/postgres/driver.ts';
import { PostgresStore } from '../store/postgres/postgres-store.ts';
import { StoreError, type Store } from '../store/store.ts';

/** A database by connections that the application has made. They stay its own: `stop()` does not end the pool. */
export type StoreOnPool = StoreOnPostgresPool | StoreOnMysqlPool;

interface StoreOnPostgresPool {
  /** A `Pool` of the package `pg`. One connection more is made like those of the pool, to listen for hints. */
  readonly postgres: PostgresPool;
  /** Where the tables are; `everstep` by default. */
  readonly schema?: string;
}

interface StoreOnMysqlPool {
  /** A pool of `mysql2` or `mysql2/promise`. With `multipleStatements` a commit is one round trip. */
  readonly mysql: MysqlPool | MysqlCallbackPool;
  /** With which the names of the tables begin; `everstep_` by default. */
  readonly prefix?: string;
}

export type StoreOption = string | Store | StoreOnPool;

const expected = `'memory', 'sqlite:<path>', 'postgres://…', 'mysql://…', { postgres: pool }, { mysql: pool }, or a store object`;

/** @throws StoreError STORE_URL_INVALID. */
export function storeOf(store: StoreOption): Store {
  if (typeof store === 'string') return openStore(store);
  if (isOnMysqlPool(store)) {
    const { mysql: pool, prefix } = store;
    if (typeof (pool as Partial<MysqlPool> | null)?.getConnection === 'function') {
      return new MysqlStore({ pool, prefix });
    }
    throw invalid(
      `The store's mysql has no method getConnection(); expected a pool of the package mysql2.`,
    );
  }
  if (isOnPostgresPool(store)) {
    const { postgres: pool, schema } = store;
    if (typeof (pool as Partial<PostgresPool> | null)?.connect === 'function') {
      return new PostgresStore({ pool, schema });
    }
    throw invalid(
      `The store's postgres has no method connect(); expected a Pool of the package pg.`,
    );
  }
  const missing = (['open', 'close', 'commit'] as const).find(
    (method) => typeof (store as Partial<Store> | null)?.[method] !== 'function',
  );
  if (missing === undefined) return store;
  throw invalid(
    `The store is ${store === null ? 'null' : `a ${typeof store} without a method ${missing}()`}; expected ${expected}.`,
  );
}

function isOnPostgresPool(store: Store | StoreOnPool | null): store is StoreOnPostgresPool {
  return typeof store === 'object' && store !== null && 'postgres' in store;
}

function isOnMysqlPool(store: Store | StoreOnPool | null): store is StoreOnMysqlPool {
  return typeof store === 'object' && store !== null && 'mysql' in store;
}

function invalid(message: string): StoreError {
  return new StoreError('STORE_URL_INVALID', message);
}
