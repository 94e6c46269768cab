/** Stores in a database server, of which commands ask more than of others. */
import { MysqlStore } from '../store/mysql/mysql-store.ts';
import { PostgresStore } from '../store/postgres/postgres-store.ts';
import type { Store } from '../store/store.ts';

export function isDatabaseStore(store: Store): store is PostgresStore | MysqlStore {
  return store instanceof PostgresStore || store instanceof MysqlStore;
}
