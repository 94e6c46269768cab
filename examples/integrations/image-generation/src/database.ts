/**
 * The application's data: interaqt's `Database` on a SQLite file. The framework's own drivers come as one module that
 * imports four databases' packages, one of which needs a compiler; this one needs what Everstep brings along.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import {
  ROW_ID_ATTR,
  sqliteEncodeLiteral,
  type Database,
  type DatabaseLogger,
  type EntityIdRef,
  type TransactionCapability,
} from 'interaqt';

type Value = null | number | string;

const quiet: DatabaseLogger = { info() {}, error() {}, child: () => quiet };

const columns: Readonly<Record<string, string>> = {
  pk: 'INTEGER PRIMARY KEY',
  id: 'TEXT',
  string: 'TEXT',
  number: 'REAL',
  timestamp: 'INTEGER',
  boolean: 'INTEGER',
  object: 'JSON',
  json: 'JSON',
};

export class SqliteDatabase implements Database {
  readonly logger = quiet;
  readonly supportsSelectForUpdate = false;
  readonly schemaDialect = {
    name: 'sqlite' as const,
    supportsCreateIndexIfNotExists: true,
    encodeLiteral: sqliteEncodeLiteral,
    constraints: { unique: true, filteredUnique: true },
  };
  /** One connection: the framework runs one transaction after the other. */
  readonly transactionCapability: TransactionCapability = {
    transactions: true,
    isolationLevels: ['READ COMMITTED', 'SERIALIZABLE'],
    transactionBoundConnection: false,
    concurrentTransactions: 'unsupported',
    nestedStrategy: 'reuse',
  };
  readonly #path: string;
  #db: InstanceType<typeof DatabaseSync> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async open(forceDrop = false): Promise<void> {
    if (this.#db === undefined) {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#db = new DatabaseSync(this.#path);
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000');
    }
    if (!forceDrop) return;
    const tables =
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    for (const { name } of this.#rows<{ name: string }>(tables)) {
      this.#opened.exec(`DROP TABLE "${name.replaceAll('"', '""')}"`);
    }
  }

  openForSchemaRead(): Promise<void> {
    return this.open();
  }

  async scheme(sql: string): Promise<void> {
    this.#opened.exec(sql);
  }

  async query<T>(sql: string, values: unknown[]): Promise<T[]> {
    return this.#rows<T>(sql, values);
  }

  async insert(sql: string, values: unknown[]): Promise<EntityIdRef> {
    const [row] = this.#rows<EntityIdRef>(`${sql} RETURNING ${ROW_ID_ATTR}`, values);
    if (row === undefined) throw new TypeError(`nothing was inserted by ${sql}`);
    return row;
  }

  async update(sql: string, values: unknown[], idField?: string): Promise<EntityIdRef[]> {
    return this.#rows(idField === undefined ? sql : `${sql} RETURNING ${idField} AS id`, values);
  }

  async delete<T>(sql: string, values: unknown[]): Promise<T[]> {
    return this.#rows<T>(sql, values);
  }

  /** Of no use twice, in whatever file: a record's id becomes the id of its task. */
  async getAutoId(): Promise<string> {
    return randomUUID();
  }

  mapToDBFieldType(type: string, collection?: boolean): string {
    const column = collection === true ? 'JSON' : columns[type];
    if (column === undefined) throw new TypeError(`there is no column for the type ${type}`);
    return column;
  }

  async close(): Promise<void> {
    this.#db?.close();
    this.#db = undefined;
  }

  get #opened(): InstanceType<typeof DatabaseSync> {
    if (this.#db === undefined) throw new TypeError(`${this.#path} is not open`);
    return this.#db;
  }

  #rows<T>(sql: string, values: readonly unknown[] = []): T[] {
    return this.#opened.prepare(sql).all(...values.map(bound)) as T[];
  }
}

function bound(value: unknown): Value {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === undefined || value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : (value as Value);
}
