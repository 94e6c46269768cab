import { expect, it } from 'vitest';
import type { Store } from '../store/store.ts';
import { storeOf } from './store-of.ts';

it('knows memory and SQLite files, and leaves a store object as it is', () => {
  expect(storeOf('memory').kind).toBe('memory');
  const store = storeOf('sqlite:data/tasks.db');
  expect(store.description).toBe('SQLite file data/tasks.db');
  expect(storeOf(store)).toBe(store);
});

it('knows MySQL by a URL or a pool, and says of neither the password', () => {
  expect(storeOf('mysql://u:secret@h/db?prefix=jobs_').description).toBe(
    'MySQL database db on h:3306, tables jobs_…',
  );
  const pool = { getConnection: () => Promise.resolve(), end: () => Promise.resolve() };
  expect(storeOf({ mysql: pool, prefix: 'jobs_' }).description).toBe('MySQL database of the pool');
  expect(() => storeOf({ mysql: {} as typeof pool })).toThrow(
    /expected a pool of the package mysql2/,
  );
});

it('knows PostgreSQL by a URL or a pool, and says of neither the password', () => {
  const byUrl = storeOf('postgres://u:secret@h:5433/db?schema=jobs');
  expect(byUrl.kind).toBe('postgres');
  expect(byUrl.description).toBe('PostgreSQL database db on h:5433, schema jobs');
  const pool = {
    connect: () => Promise.resolve(),
    end: () => Promise.resolve(),
    on: () => null,
    off: () => null,
  };
  expect(storeOf({ postgres: pool, schema: 'jobs' }).description).toBe(
    'PostgreSQL database of the pool',
  );
  expect(() => storeOf({ postgres: {} as typeof pool })).toThrow(
    /expected a Pool of the package pg/,
  );
});

it('refuses what names no store, without repeating what may be a password', () => {
  for (const url of ['sqlite:', 'file.db', 'redis://u:secret@h', 7, null, {}]) {
    let error: unknown;
    try {
      storeOf(url as unknown as Store);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'STORE_URL_INVALID' });
    expect((error as Error).message).toContain("'sqlite:<path>'");
    expect((error as Error).message).not.toContain('secret');
  }
});
