/**
 * The one seam to SQLite: the part of `node:sqlite` that the store uses. `@photostructure/sqlite` has the same API
 * and stands in where Node lacks it, or has it in a form that is too young.
 */
import { StoreError } from '../store.ts';

export type SqlValue = null | number | string | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

export interface SqliteStatement {
  run(...values: SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

export interface SqliteHandle {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): void;
  close(): void;
}

export interface SqliteDriver {
  readonly name: string;
  open(path: string, options?: OpenOptions): SqliteHandle;
}

interface OpenOptions {
  readonly readOnly?: boolean;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options?: OpenOptions) => SqliteHandle;
}

export async function loadDriver(path: string): Promise<SqliteDriver> {
  const native = nativeModule();
  if (native !== undefined) return driverOf('node:sqlite', native);
  try {
    const name = '@photostructure/sqlite';
    return driverOf(name, (await import('@photostructure/sqlite')) as unknown as SqliteModule);
  } catch (cause) {
    throw new StoreError(
      'STORE_DRIVER_MISSING',
      `The database ${path} cannot be opened: Node ${process.versions.node} has no recent node:sqlite, and the ` +
        `package @photostructure/sqlite could not be loaded. Install it (npm install @photostructure/sqlite), or ` +
        `use Node 22.14 or newer.`,
      { cause },
    );
  }
}

function nativeModule(): SqliteModule | undefined {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 14)) return undefined;
  const load: (id: string) => unknown = (id) => process.getBuiltinModule(id);
  return load('node:sqlite') as SqliteModule | undefined;
}

function driverOf(name: string, module: SqliteModule): SqliteDriver {
  return { name, open: (path, options = {}) => new module.DatabaseSync(path, options) };
}
