/** What the store says of files it cannot use, and what it makes of a disk that is full or has changed its mind. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  bytesOf,
  groupOf,
  keyOf,
  newRun,
  nextOf,
  start,
  write,
} from '../store-fixture.contract.ts';
import type { CommitResult } from '../store.ts';
import { checkHeader, networkFileSystem } from './database-file.ts';
import { loadDriver } from './driver.ts';
import { SqliteStore } from './sqlite-store.ts';

let folder: string;
let path: string;
let unmount: (() => void) | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  path = join(folder, 'a.db');
});
afterEach(() => {
  unmount?.();
  unmount = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function opened(options = {}): Promise<SqliteStore> {
  const store = new SqliteStore({ path, ...options });
  await store.open();
  return store;
}

/** A file that was used and closed, and its bytes. */
async function made(): Promise<Buffer> {
  const store = await opened();
  await start(store, keyOf('a'));
  await store.close();
  return seal();
}

/** Moves what is still in the WAL into the file itself, so that a test can lay hands on it. */
async function seal(): Promise<Buffer> {
  const handle = (await loadDriver(path)).open(path);
  handle.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  handle.close();
  for (const ending of ['-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
  return readFileSync(path);
}

function failures(results: readonly CommitResult[]): string[] {
  return results.map((result) =>
    result.outcome === 'failed' ? result.error.code : result.outcome,
  );
}

describe('a file that cannot be used', () => {
  it('of a newer version is refused and not touched', async () => {
    const bytes = await made();
    bytes.writeUInt32BE(99, 60);
    writeFileSync(path, bytes);
    await expect(opened()).rejects.toMatchObject({
      code: 'STORE_NEWER_VERSION',
      message: expect.stringContaining(path) as string,
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  it('that is no database is refused and not touched', async () => {
    for (const text of ['hello', 'x'.repeat(10_000)]) {
      writeFileSync(path, text);
      await expect(opened()).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: expect.stringContaining(path) as string,
      });
      expect(readFileSync(path, 'utf8')).toBe(text);
      expect(readdirSync(folder)).toEqual(['a.db']);
    }
  });

  it('of another program is refused and not touched', async () => {
    const driver = await loadDriver(path);
    const handle = driver.open(path);
    handle.exec('CREATE TABLE theirs (a)');
    handle.close();
    const bytes = readFileSync(path);
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(readdirSync(folder)).toEqual(['a.db']);
  });

  it('that was cut short is refused and not touched', async () => {
    const bytes = await made();
    truncateSync(path, bytes.length - 5_000);
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(readFileSync(path).equals(bytes.subarray(0, bytes.length - 5_000))).toBe(true);
  });

  it('with damaged pages is called damaged', async () => {
    const bytes = await made();
    bytes.fill(0xff, 100, 4_000);
    writeFileSync(path, bytes);
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('below a file in place of a folder is called not writable', async () => {
    writeFileSync(join(folder, 'file'), '');
    path = join(folder, 'file', 'sub', 'a.db');
    await expect(opened()).rejects.toMatchObject({
      code: 'STORE_NOT_WRITABLE',
      message: expect.stringContaining(path) as string,
    });
  });

  it('that is a folder is called not writable', async () => {
    mkdirSync(path);
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_NOT_WRITABLE' });
  });

  it('that is a device is called not writable, and nothing is made beside it', async () => {
    symlinkSync('/dev/null', path);
    const message: unknown = expect.stringContaining('it is a device, a pipe or a socket');
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_NOT_WRITABLE', message });
    expect(readdirSync(folder)).toEqual(['a.db']);
  });
});

describe('a file that can be used', () => {
  it('is made with the folders that lead to it', async () => {
    path = join(folder, 'some', 'new', 'a.db');
    await (await opened()).close();
    expect(existsSync(path)).toBe(true);
  });

  it('may be there empty', async () => {
    writeFileSync(path, '');
    const store = await opened();
    expect(await store.runs.nextWakeAt()).toBe(0);
    await store.close();
  });
});

describe('a network file system', () => {
  it('is known by its kind', () => {
    const mounted = (kind: string) => () => kind;
    expect(networkFileSystem(0x6969, mounted('nfs4'))).toBe('NFS');
    expect(networkFileSystem(0xff534d42 | 0, mounted('cifs'))).toBe('CIFS');
    expect(networkFileSystem(0x65735546, mounted('fuse.sshfs'))).toBe('fuse.sshfs');
    expect(networkFileSystem(0x65735546, mounted('fuse.ntfs-3g'))).toBeUndefined();
    expect(networkFileSystem(0xef53, mounted('ext4'))).toBeUndefined();
  });
});

describe('a bit that changed on the disk', () => {
  /** Flips one bit of the place that holds that text. */
  async function flip(text: string): Promise<void> {
    const bytes = await seal();
    const at = bytes.indexOf(text);
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] ?? 0) ^ 4;
    writeFileSync(path, bytes);
  }

  it('is found in a state, with the run named, and the others go on', async () => {
    const store = await opened();
    const a = await start(store, keyOf('a'), { state: bytesOf('precious state') });
    const b = await start(store, keyOf('b'));
    await store.close();
    await flip('precious state');
    await store.open();
    const named = {
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(/run a-run of workflow a .*a\.db/) as string,
    };
    await expect(store.runs.loadByRef({ ref: a })).rejects.toMatchObject(named);
    await expect(store.runs.load({ key: keyOf('a') })).rejects.toMatchObject(named);
    expect((await store.runs.loadByRef({ ref: b }))?.version).toBe(1);
    await write(store, nextOf(keyOf('b'), b, 1));
    await store.runs.delete({ refs: [a] });
    await store.close();
  });

  it('is found in a history, with the run named, and the others go on', async () => {
    const store = await opened();
    const batch = (text: string) => ({ firstEventId: 1, nextEventId: 3, bytes: bytesOf(text) });
    const a = await start(store, keyOf('a'), { history: batch('precious events') });
    const b = await start(store, keyOf('b'), { history: batch('others') });
    await store.close();
    await flip('precious events');
    await store.open();
    await expect(
      store.history.read({ ref: a, fromEventId: 1, bytesMax: 99 }),
    ).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(/Events 1 to 2 of run a-run of workflow a /) as string,
    });
    expect(await store.history.read({ ref: b, fromEventId: 1, bytesMax: 99 })).toHaveLength(1);
    await store.close();
  });
});

describe('a disk without room', () => {
  const big = () => new Uint8Array(100_000).fill(1);

  it('fails the groups that do not fit, and not the others', async () => {
    await made();
    const pages = Math.ceil(readFileSync(path).length / 4_096);
    const store = await opened({ pagesMax: pages + 40 });
    const ref = (await store.runs.load({ key: keyOf('a') }))?.ref ?? 0;
    const results = await store.commit([
      groupOf(newRun(keyOf('b'), { state: big() })),
      groupOf(newRun(keyOf('c'), { state: big() })),
      groupOf(nextOf(keyOf('a'), ref, 1)),
    ]);
    expect(failures(results)).toEqual(['committed', 'STORE_DISK_FULL', 'committed']);
    expect(await store.runs.load({ key: keyOf('c') })).toBeUndefined();
    const b = await store.runs.load({ key: keyOf('b') });
    expect(b?.state).toHaveLength(100_000);
    const counted = await store.visibility.count({
      namespaceId: 'namespace-1',
      groupByStatus: true,
    });
    expect(counted.count).toBe(2);
    await store.runs.delete({ refs: [b?.ref ?? 0] });
    await start(store, keyOf('c'), { state: big() });
    await store.close();
    await (await opened()).close();
  });

  const mountable = canMount();

  it.runIf(mountable)('works again when there is room, on a real small disk', async () => {
    mountTmpfs('size=26m');
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(4_000_000));
    const store = await opened();
    const acknowledged: string[] = [];
    const codes: string[] = [];
    let refused = 0;
    for (let i = 0; refused < 5; i += 1) {
      const key = keyOf(`w${i}`);
      const [result] = await store.commit([groupOf(newRun(key, { state: big() }))]);
      if (result?.outcome === 'committed') acknowledged.push(key.workflowId);
      else {
        codes.push(...failures(result === undefined ? [] : [result]));
        refused += 1;
      }
    }
    expect(new Set(codes)).toEqual(new Set(['STORE_DISK_FULL']));
    expect(acknowledged.length).toBeGreaterThan(5);
    rmSync(join(folder, 'ballast'));
    await start(store, keyOf('after'));
    await store.close();
    const again = await opened();
    for (const id of [...acknowledged, 'after']) {
      expect(await again.runs.load({ key: keyOf(id) })).toBeDefined();
    }
    await again.close();
  });

  it.runIf(mountable)('that is mounted read-only is called not writable', async () => {
    const bytes = await made();
    mountTmpfs('size=40m');
    writeFileSync(path, bytes);
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    await expect(opened()).rejects.toMatchObject({ code: 'STORE_NOT_WRITABLE' });
  });

  function mountTmpfs(options: string): void {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
    unmount = () => execFileSync('umount', ['-l', folder], { stdio: 'pipe' });
  }

  function canMount(): boolean {
    const place = mkdtempSync(join(tmpdir(), 'everstep-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', place], { stdio: 'pipe' });
      execFileSync('umount', [place], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  }
});

describe('a file that another process is creating', () => {
  it('is empty or whole, whenever it is looked at', async () => {
    const page = Buffer.alloc(4096);
    page.write('SQLite format 3\0');
    page.writeUInt16BE(4096, 16);
    page.writeUInt32BE(1, 28);
    const creator = new Worker(
      `const { workerData: { path, page } } = require('node:worker_threads');
       const fs = require('node:fs');
       for (;;) { fs.writeFileSync(path, ''); fs.writeFileSync(path, page); }`,
      { eval: true, workerData: { path, page } },
    );
    await once(creator, 'online');
    try {
      for (let look = 0; look < 20_000; look += 1) checkHeader(path, 1);
    } finally {
      await creator.terminate();
    }
    expect(existsSync(path)).toBe(true);
  });
});
