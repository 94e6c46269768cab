/** A server of each kind that is the test's alone, so that it may be stopped, frozen and filled. */
import { execFileSync } from 'node:child_process';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { MariaDbServer, type MariaDbServerOptions } from './mariadb-server.ts';
import { PostgresServer, type PostgresServerOptions } from './postgres-server.ts';
import { mariaDbMissing } from './shared-mariadb.ts';
import { postgresMissing } from './shared-postgres.ts';

interface OwnServer {
  /** Of a database on it; `query` begins with a `?`, `user` is `name` or `name:password`. */
  url(query?: string, user?: string): string;
  /** As an administrator; the rows of the last statement. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** At once, as if its power had gone. */
  end(): Promise<void>;
  begin(): Promise<void>;
  /** It is there and does nothing: neither it nor what serves its connections. */
  freeze(): void;
  thaw(): void;
  remove(): Promise<void>;
}

export interface OwnServerKind {
  readonly kind: 'PostgreSQL' | 'MariaDB';
  /** Why it is left out; undefined: it is not. */
  readonly missing: string | undefined;
  /** `folder`: of its data; a new one by default. */
  readonly start: (
    options?: Pick<PostgresServerOptions & MariaDbServerOptions, 'folder'>,
  ) => Promise<OwnServer>;
}

const database = 'app';

const postgres: OwnServerKind = {
  kind: 'PostgreSQL',
  missing: postgresMissing,
  start: async (options) => {
    const server = await PostgresServer.start({ durable: true, ...options });
    let frozen: readonly number[] = [];
    return {
      url: (query, user) => server.url(query, user),
      query: async (sql) => {
        const client = new pg.Client({ connectionString: server.url() });
        client.on('error', () => undefined);
        await client.connect();
        try {
          const results: unknown = await client.query(sql);
          const last = (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult<
            Record<string, unknown>
          >;
          return last.rows;
        } finally {
          await client.end();
        }
      },
      end: () => {
        server.end('immediate');
        return Promise.resolve();
      },
      begin: () => {
        server.begin();
        return Promise.resolve();
      },
      freeze: () => {
        frozen = [server.pid];
        signal(frozen, 'SIGSTOP');
        // It forks no more from here on.
        const children = childrenOf(server.pid);
        signal(children, 'SIGSTOP');
        frozen = [...children, ...frozen];
      },
      thaw: () => {
        signal(frozen, 'SIGCONT');
        frozen = [];
      },
      remove: () => {
        signal(frozen, 'SIGCONT');
        server.remove();
        return Promise.resolve();
      },
    };
  },
};

const mariaDb: OwnServerKind = {
  kind: 'MariaDB',
  missing: mariaDbMissing,
  start: async (options) => {
    const server = await MariaDbServer.start({ durable: true, ...options });
    const query = async (sql: string, name = database) => {
      const connection = await mysql.createConnection({
        uri: server.url(name),
        multipleStatements: true,
      });
      connection.on('error', () => undefined);
      try {
        const [rows] = await connection.query(sql);
        const last: unknown = Array.isArray(rows) && Array.isArray(rows[0]) ? rows.at(-1) : rows;
        return last as Record<string, unknown>[];
      } finally {
        connection.destroy();
      }
    };
    await query(`CREATE DATABASE ${database}`, '');
    return {
      url: (options_, user) => server.url(database, options_, user),
      query,
      end: () => server.end('SIGKILL'),
      begin: () => server.begin(),
      freeze: () => signal([server.pid], 'SIGSTOP'),
      thaw: () => signal([server.pid], 'SIGCONT'),
      remove: () => server.remove(),
    };
  },
};

export const ownServerKinds: readonly OwnServerKind[] = [postgres, mariaDb];

function childrenOf(pid: number): number[] {
  return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(Number);
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  }
}
