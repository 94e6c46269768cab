/** Which store a URL means. */
import { MemoryStore } from './memory/memory-store.ts';
import { settingsOf as mysqlSettingsOf } from './mysql/connection-settings.ts';
import { MysqlStore } from './mysql/mysql-store.ts';
import { settingsOf } from './postgres/connection-settings.ts';
import { PostgresStore } from './postgres/postgres-store.ts';
import { SqliteStore } from './sqlite/sqlite-store.ts';
import { StoreError } from './store.ts';
import type { Store } from './store.ts';

const forms = `'memory', 'sqlite:<path>' such as 'sqlite:.everstep/everstep.db', 'postgres://user:password@host/database', or 'mysql://user:password@host/database'`;

/**
 * Makes the store a URL names; `open()` is the caller's, so that nothing is touched before it is wanted: `memory`, or
 * `sqlite:<path>` with the path taken from the current folder and `?synchronous=full` (default) or `normal`, or
 * `postgres://…` with what it leaves out taken from the PG… variables, or `mysql://…` (`mariadb://…`), the same of the
 * MYSQL_… variables. Throws a StoreError, STORE_URL_INVALID, for anything else.
 */
export function openStore(url: string): Store {
  if (url === 'memory' || url === 'memory:') return new MemoryStore();
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sqlite': {
      const [path = '', options] = url.slice('sqlite:'.length).split('?');
      if (path.trim() === '' || /^\/\/$/.test(path) || path.includes('\0')) {
        throw new StoreError(
          'STORE_URL_INVALID',
          `The database '${url}' names no file. Write 'sqlite:<path>', such as 'sqlite:.everstep/everstep.db'.`,
          { cause: { url } },
        );
      }
      if (path.trim() === ':memory:') {
        throw new StoreError(
          'STORE_URL_INVALID',
          `The database '${url}' would be a file named ':memory:'. For tasks that end with the process, write 'memory'.`,
          { cause: { url } },
        );
      }
      const meant = pathMeant(path);
      if (meant !== undefined) {
        throw new StoreError(
          'STORE_URL_INVALID',
          `The database '${url}' does not name a path as 'sqlite:<path>' does. Write 'sqlite:${meant}'.`,
          { cause: { url } },
        );
      }
      const synchronous = synchronousOf(options);
      if (synchronous === undefined) {
        throw new StoreError(
          'STORE_URL_INVALID',
          `The database '${url}' has the options '${options}', which are not understood. What may follow the path is ?synchronous=full or ?synchronous=normal.`,
          { cause: { url } },
        );
      }
      // sqlite:///path is written by people used to URLs; a relative path never begins with two slashes.
      return new SqliteStore({ path: path.replace(/^\/\/(?=\/)/, ''), synchronous });
    }
    case 'postgres':
    case 'postgresql':
      return new PostgresStore({ settings: settingsOf(url) });
    case 'mysql':
    case 'mariadb':
      return new MysqlStore({ settings: mysqlSettingsOf(url) });
    default:
      throw new StoreError(
        'STORE_URL_INVALID',
        `'${maskPassword(url)}' is not a database that Everstep knows. Write ${forms}.`,
        { cause: { scheme } },
      );
  }
}

/** The path that a URL of another kind probably means: `//folder/file`, and `file:…`. Undefined for a plain path. */
function pathMeant(path: string): string | undefined {
  const plain = path
    .replace(/^\/\/(?=[^/])/, '')
    .replace(/^file:(?:\/\/(?:localhost)?(?=\/))?/i, '')
    .replace(/^\/\/(?=[^/])/, '');
  return plain === path ? undefined : plain;
}

function synchronousOf(options: string | undefined): 'FULL' | 'NORMAL' | undefined {
  if (options === undefined) return 'FULL';
  const value = /^synchronous=(full|normal)$/i.exec(options)?.[1]?.toUpperCase();
  return value === 'FULL' || value === 'NORMAL' ? value : undefined;
}

/** `scheme://user:secret@host` with the secret left out, and secrets among the parameters likewise. */
function maskPassword(url: string): string {
  return url
    .replace(/(:\/\/[^:/?#]*):.*@/, '$1:***@')
    .replace(/([?&;](?:password|passwd|pwd|secret|token)=)[^&;]*/gi, '$1***');
}
