/** While another process holds the write lock, this one waits for it and yet goes on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bytesOf, groupOf, keyOf, newRun } from '../store-fixture.contract.ts';
import { loadDriver, type SqliteHandle } from './driver.ts';
import { SqliteStore } from './sqlite-store.ts';

let folder: string;
let path: string;
let store: SqliteStore;
/** Another connection; the lock does not care whose process it is in. */
let other: SqliteHandle;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  path = join(folder, 'a.db');
});
afterEach(async () => {
  other.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function locked(busyTimeoutMs?: number): Promise<void> {
  store = new SqliteStore({ path, ...(busyTimeoutMs !== undefined && { busyTimeoutMs }) });
  await store.open();
  other = (await loadDriver(path)).open(path);
  other.exec('BEGIN IMMEDIATE');
}

/** Resolves after that many timers have fired one after another. */
async function timers(count: number): Promise<void> {
  for (let fired = 0; fired < count; fired += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const letter = { processId: 'p', bytes: bytesOf('hello') };

it('timers fire while a commit and a call wait, and both are done once the lock is free', async () => {
  await locked();
  let settled = 0;
  const commit = store.commit([groupOf(newRun(keyOf('a')))]).finally(() => (settled += 1));
  const sent = store.mail.send({ mail: [letter] }).finally(() => (settled += 1));
  await timers(5);
  expect(settled).toBe(0);
  other.exec('ROLLBACK');
  expect(await commit).toMatchObject([{ outcome: 'committed' }]);
  await sent;
  expect(await store.mail.take({ processId: 'p' })).toHaveLength(1);
  expect(await store.runs.load({ key: keyOf('a') })).toBeDefined();
});

it('a lock that stays fails the commit and the call as busy, and nothing is written', async () => {
  await locked(60);
  const groups = ['a', 'b'].map((id) => groupOf(newRun(keyOf(id))));
  const busy = { outcome: 'failed', error: { code: 'STORE_BUSY' } };
  expect(await store.commit(groups)).toMatchObject([busy, busy]);
  await expect(store.mail.send({ mail: [letter] })).rejects.toMatchObject({ code: 'STORE_BUSY' });
  other.exec('ROLLBACK');
  expect(await store.runs.load({ key: keyOf('a') })).toBeUndefined();
  expect(await store.mail.take({ processId: 'p' })).toEqual([]);
});

it('a store that is closed meanwhile ends the wait', async () => {
  await locked();
  const commit = store.commit([groupOf(newRun(keyOf('a')))]);
  await store.close();
  expect(await commit).toMatchObject([{ outcome: 'failed', error: { code: 'STORE_CLOSED' } }]);
});
