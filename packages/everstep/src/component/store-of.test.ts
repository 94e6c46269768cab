import { expect, it } from 'vitest';
import type { Store } from '../store/store.ts';
import { storeOf } from './store-of.ts';

it('knows memory and SQLite files, and leaves a store object as it is', () => {
  expect(storeOf('memory').kind).toBe('memory');
  const store = storeOf('sqlite:data/tasks.db');
  expect(store.description).toBe('SQLite file data/tasks.db');
  expect(storeOf(store)).toBe(store);
});

it('says of a database that is not built what to use instead', () => {
  for (const url of ['postgres://u:secret@h/db', 'postgresql://h/db', 'mysql://u:secret@h/db']) {
    expect(() => storeOf(url)).toThrow(/store is not built yet/);
  }
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
