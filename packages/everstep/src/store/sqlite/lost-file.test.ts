/** What the store does when its file is found damaged, or was deleted, moved or replaced, while it is open. */
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupOf, keyOf, newRun, start } from '../store-fixture.contract.ts';
import type { Store } from '../store.ts';
import { loadDriver } from './driver.ts';
import { SqliteStore } from './sqlite-store.ts';

let folder: string;
let path: string;
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  path = join(folder, 'a.db');
  now = 0;
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function opened(): Promise<SqliteStore> {
  const store = new SqliteStore({ path, monotonicNow: () => now });
  await store.open();
  return store;
}

const commit = (store: Store, workflowId: string) =>
  store.commit([groupOf(newRun(keyOf(workflowId)))]);

const current = (store: Store, workflowId: string) => store.runs.loadCurrent(keyOf(workflowId));

const lost = (name: string): object => ({
  code: 'STORE_FILE_LOST',
  message: expect.stringContaining(join(folder, name)) as string,
});

describe('a file whose pages are damaged', () => {
  it('is not used any more, from the moment SQLite finds it', async () => {
    const first = await opened();
    for (let index = 0; index < 200; index += 1) {
      await first.commit([groupOf(newRun(keyOf(`w${index}`), { state: new Uint8Array(5_000) }))]);
    }
    await first.close();
    const handle = (await loadDriver(path)).open(path);
    handle.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    handle.close();
    for (const ending of ['-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    const bytes = readFileSync(path);
    bytes.fill(0x55, 200_000);
    writeFileSync(path, bytes);

    const store = await opened();
    expect(store.failure).toBeUndefined();
    const reads = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) => current(store, `w${index}`)),
    );
    expect(reads.some(({ status }) => status === 'rejected')).toBe(true);
    expect(store.failure).toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(commit(store, 'late')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await store.close();
  });
});

describe('a file that is taken away under an open store', () => {
  it.each([
    ['deleted', () => rmSync(path)],
    ['moved', () => renameSync(path, join(folder, 'b.db'))],
    [
      'replaced',
      () => {
        copyFileSync(path, join(folder, 'copy'));
        renameSync(join(folder, 'copy'), path);
      },
    ],
  ])('%s: every call is refused from then on, within a second', async (_what, take) => {
    const store = await opened();
    await start(store, keyOf('a'));
    expect(store.failure).toBeUndefined();
    take();
    now += 1_000;
    await expect(commit(store, 'b')).rejects.toMatchObject(lost('a.db'));
    expect(store.failure).toMatchObject(lost('a.db'));
    await expect(current(store, 'a')).rejects.toMatchObject(lost('a.db'));
    await expect(store.processes.list()).rejects.toMatchObject(lost('a.db'));
    await store.close();
  });

  it('stays refused when the file is back, because work may lie between', async () => {
    const store = await opened();
    renameSync(path, join(folder, 'b.db'));
    now += 1_000;
    await expect(commit(store, 'a')).rejects.toMatchObject(lost('a.db'));
    renameSync(join(folder, 'b.db'), path);
    now += 1_000;
    await expect(commit(store, 'a')).rejects.toMatchObject(lost('a.db'));
    await store.close();
  });

  it('is looked for once a second, not at each commit', async () => {
    const store = await opened();
    await commit(store, 'a');
    rmSync(path);
    now += 999;
    expect(await commit(store, 'b')).toMatchObject([{ outcome: 'committed' }]);
    now += 1;
    await expect(commit(store, 'c')).rejects.toMatchObject(lost('a.db'));
    await store.close();
  });

  it('leaves the file that took its place as it is', async () => {
    const store = await opened();
    await start(store, keyOf('a'));
    for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`);
    const other = await opened();
    await start(other, keyOf('b'));
    now += 1_000;
    await expect(commit(store, 'c')).rejects.toMatchObject(lost('a.db'));
    await store.close();
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(await current(other, 'a')).toBeUndefined();
    expect(await current(other, 'b')).toBeDefined();
    await start(other, keyOf('d'));
    await other.close();
    const again = await opened();
    expect(await current(again, 'd')).toBeDefined();
    await again.close();
  });

  it('does not lose what only the -wal held, when the -wal alone was deleted', async () => {
    const store = await opened();
    await start(store, keyOf('a'));
    rmSync(`${path}-wal`);
    now += 1_000;
    await expect(commit(store, 'b')).rejects.toMatchObject(lost('a.db-wal'));
    await store.close();
    const again = await opened();
    expect(await current(again, 'a')).toBeDefined();
    expect(await current(again, 'b')).toBeUndefined();
    await again.close();
  });

  it('is not taken for lost while other connections come and go', async () => {
    const store = await opened();
    for (const name of ['a', 'b', 'c']) {
      const other = await opened();
      await start(other, keyOf(name));
      await other.close();
      now += 1_000;
      await start(store, keyOf(`${name}2`));
    }
    expect(store.failure).toBeUndefined();
    await store.close();
  });
});
