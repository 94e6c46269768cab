import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { MemoryStore } from './memory/memory-store.ts';
import { openStore } from './open-store.ts';
import type { PostgresStore } from './postgres/postgres-store.ts';
import { SqliteStore } from './sqlite/sqlite-store.ts';
import { StoreError } from './store.ts';

function refusal(url: string): StoreError {
  try {
    openStore(url);
  } catch (error) {
    if (error instanceof StoreError) return error;
  }
  return expect.fail(`${url} was not refused`);
}

it('makes a memory store', () => {
  expect(openStore('memory')).toBeInstanceOf(MemoryStore);
});

it('makes a SQLite store of a path from the current folder', () => {
  const paths = { 'sqlite:a/b.db': resolve('a/b.db'), 'sqlite:/tmp/c.db': '/tmp/c.db' };
  for (const [url, path] of Object.entries(paths)) {
    expect((openStore(url) as SqliteStore).path).toBe(path);
  }
  expect((openStore('sqlite:///tmp/c.db') as SqliteStore).path).toBe('/tmp/c.db');
});

it('shows the form when the path is missing', () => {
  expect(refusal('sqlite:')).toMatchObject({ code: 'STORE_URL_INVALID' });
  expect(refusal('sqlite:').message).toContain('sqlite:<path>');
});

it('refuses a path that is no file', () => {
  for (const url of ['sqlite: ', 'sqlite:a\0b', 'sqlite:\t?synchronous=full']) {
    expect(refusal(url)).toMatchObject({ code: 'STORE_URL_INVALID' });
    expect(refusal(url).message).toContain("names no file. Write 'sqlite:<path>'");
  }
});

it('says of a database in memory how it is written here', () => {
  expect(refusal('sqlite::memory:')).toMatchObject({ code: 'STORE_URL_INVALID' });
  expect(refusal('sqlite::memory:').message).toContain("write 'memory'");
});

it('refuses a path that is written as another kind of URL, and shows how it is written here', () => {
  const hints = {
    'sqlite://rel/tasks.db': "Write 'sqlite:rel/tasks.db'.",
    'sqlite:file:///tmp/a.db': "Write 'sqlite:/tmp/a.db'.",
    'sqlite:file:a.db': "Write 'sqlite:a.db'.",
    'sqlite://file:///tmp/a.db': "Write 'sqlite:/tmp/a.db'.",
  };
  for (const [url, hint] of Object.entries(hints)) {
    expect(refusal(url)).toMatchObject({ code: 'STORE_URL_INVALID' });
    expect(refusal(url).message).toContain(hint);
  }
});

it('makes a MySQL store of the tables that the URL names', () => {
  for (const [url, [prefix, description]] of Object.entries({
    'mysql://u:hunter2@h/d': ['everstep_', 'MySQL database d on h:3306'],
    'mariadb://h:3307/d?prefix=jobs_': ['jobs_', 'MySQL database d on h:3307, tables jobs_…'],
    'mysql:///d?socket=/run/mysqld/mysqld.sock': [
      'everstep_',
      'MySQL database d at /run/mysqld/mysqld.sock',
    ],
  })) {
    expect(openStore(url)).toMatchObject({ kind: 'mysql', prefix, description });
  }
});

it('makes a PostgreSQL store in the schema that the URL names', () => {
  for (const [url, schema] of Object.entries({
    'postgres://h/d': 'everstep',
    'postgresql:///d?host=/run/postgresql&schema=Jobs-2': 'Jobs-2',
  })) {
    expect((openStore(url) as PostgresStore).schema).toBe(schema);
  }
});

it('refuses a URL of PostgreSQL that means nothing, without its password', () => {
  const said = {
    'postgres://u:hunter2@h/d?shema=x': "option 'shema'",
    'postgres://u:hunter2@h/d?schema=pg_x': 'schema',
    'postgres://u:hunter2@h/d?schema=a"b': 'schema',
    'postgres://u:hunter2@h/d?sslmode=on': 'sslmode',
    'postgres://u:hunter2@h/d?connections=0': 'connections',
    'postgres://u:hunter2@h1,h2/d': 'several hosts',
    'postgres://u:hunter2%@h/d': '%25',
    'postgres://u:hun#ter2@h:port/d': 'percent-encoded',
  };
  for (const [url, words] of Object.entries(said)) {
    const { code, message } = refusal(url);
    expect(code).toBe('STORE_URL_INVALID');
    expect(message).toContain(words);
    expect(message).not.toMatch(/hunter2|ter2/);
  }
});

it('refuses a URL of MySQL that means nothing, without its password', () => {
  const said = {
    'mysql://u:hunter2@h': 'names no database',
    'mysql://u:hunter2@h/d?prefx=x': "option 'prefx'",
    'mysql://u:hunter2@h/d?prefix=a-b': 'prefix',
    'mysql://u:hunter2@h/d?ssl-mode=on': 'ssl-mode',
    'mysql://u:hunter2@h/d?connections=none': 'connections',
    'mysql://u:hun/ter2@h/d': 'percent-encoded',
  };
  for (const [url, words] of Object.entries(said)) {
    const { code, message } = refusal(url);
    expect(code).toBe('STORE_URL_INVALID');
    expect(message).toContain(words);
    expect(message).not.toMatch(/hunter2|ter2/);
  }
});

it('names a value it does not know, without its password', () => {
  for (const url of ['redis://u:hunter2@h', 'x:?password=hunter2&a=b', '']) {
    const { message } = refusal(url);
    expect(message).not.toMatch(/hunter2|ter2/);
    expect(message).toContain(url.split(':')[0]);
  }
  expect(refusal('banana')).toMatchObject({ code: 'STORE_URL_INVALID' });
});
