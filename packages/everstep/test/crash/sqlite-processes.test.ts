/** Real processes on one SQLite file: side by side, and killed in the middle of a commit. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  keyOf,
  namespaceId,
  newRun,
  start,
  taskOf,
  write,
} from '../../src/store/store-fixture.contract.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const script = fileURLToPath(new URL('./sqlite-process.ts', import.meta.url));

describe('several processes on one SQLite file', () => {
  let folder: string;
  let path: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'everstep-'));
    path = join(folder, 'a.db');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function run(deed: string, ...rest: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, deed, path, ...rest], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const lines: string[] = [];
    let said = '';
    let more = (): void => undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      lines.push(...chunk.toString().trim().split('\n'));
      more();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = new Promise<readonly string[]>((resolve, reject) => {
      child.on('close', (code, signal) => {
        if (code === 0 || signal === 'SIGKILL') resolve(lines);
        else reject(new Error(`${deed} ended with ${code}: ${said}`));
      });
    });
    const firstLine = new Promise<void>((resolve) => {
      more = resolve;
    });
    return { child, ended, firstLine: Promise.race([firstLine, ended.then(() => undefined)]) };
  }

  async function opened(): Promise<SqliteStore> {
    const store = new SqliteStore({ path });
    await store.open();
    return store;
  }

  it('all make the file when none is there yet, and none fails', async () => {
    await Promise.all(Array.from({ length: 4 }, () => run('increment', '0').ended));
    const store = await opened();
    expect(await start(store, keyOf('a'))).toBeGreaterThan(0);
    await store.close();
  });

  it('lose no update of a run that all of them write', async () => {
    const store = await opened();
    const ref = await start(store, keyOf('shared'));
    await Promise.all(Array.from({ length: 3 }, () => run('increment', '200').ended));
    expect(await store.runs.heads({ refs: [ref] })).toEqual([{ ref, version: 601 }]);
    await store.close();
  });

  it('get each task once among them', async () => {
    const store = await opened();
    const tasks = Array.from({ length: 300 }, (_, i) => taskOf({ stamp: i, createdAt: i }));
    await write(store, newRun(keyOf('a'), { tasks }));
    const claimed = await Promise.all([run('claim', 'p1').ended, run('claim', 'p2').ended]);
    const stamps = claimed.flat().join(' ').split(' ').map(Number);
    expect(stamps.toSorted((a, b) => a - b)).toEqual(tasks.map((task) => task.stamp));
    await store.close();
  });

  it('hear each other ring', async () => {
    const store = await opened();
    const other = run('echo');
    await other.firstLine;
    const answered = new Promise<void>((resolve) => {
      const stop = store.hints.listen(() => {
        stop();
        resolve();
      });
    });
    await start(store, keyOf('a'));
    store.hints.ring();
    await answered;
    expect(await other.ended).toContain('heard');
    expect(await store.runs.load({ key: keyOf('echo') })).toBeDefined();
    await store.close();
  });

  it('lose nothing that was acknowledged when they are killed during commits', async () => {
    const journal = join(folder, 'journal');
    for (let round = 0; round < 4; round += 1) {
      const writers = ['x', 'y'].map((name) => run('write', journal, `${round}${name}`));
      await Promise.all(writers.map(({ firstLine }) => firstLine));
      const enough = acknowledged(journal).length + 300 + round * 170;
      while (acknowledged(journal).length < enough) {
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      for (const { child } of writers) child.kill('SIGKILL');
      await Promise.all(writers.map(({ ended }) => ended));
      expect(await lostOf(journal)).toEqual([]);
    }
  });

  function acknowledged(journal: string): string[] {
    if (!existsSync(journal)) return [];
    const text = readFileSync(journal, 'utf8');
    return text.slice(0, text.lastIndexOf('\n')).split('\n');
  }

  /** What was acknowledged and is not stored with its whole history, or is stored by half. */
  async function lostOf(journal: string): Promise<string[]> {
    const store = await opened();
    const latest = new Map<string, number>();
    for (const line of acknowledged(journal)) {
      const [id = '', version = ''] = line.split(' ');
      latest.set(id, Math.max(latest.get(id) ?? 0, Number(version)));
    }
    const lost: string[] = [];
    for (const [id, version] of latest) {
      const stored = await store.runs.load({ key: keyOf(id) });
      const history = await store.history.read({
        ref: stored?.ref ?? 0,
        fromEventId: 1,
        bytesMax: 1e9,
      });
      const whole = history.every((batch, i) => batch.firstEventId === i + 1);
      if (
        stored === undefined ||
        stored.version < version ||
        history.length !== stored.version ||
        !whole
      ) {
        lost.push(
          `${id}: acknowledged ${version}, stored ${stored?.version}, history ${history.length}`,
        );
      }
    }
    const { count } = await store.visibility.count({ namespaceId, groupByStatus: false });
    const listed = await store.visibility.list({ namespaceId, limit: 100_000 });
    if (listed.length !== count) lost.push(`${listed.length} listed, ${count} counted`);
    await store.close();
    return lost;
  }
});
