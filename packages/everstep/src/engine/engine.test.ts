import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryData } from '../store/memory/memory-data.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { SqliteStore } from '../store/sqlite/sqlite-store.ts';
import { describeEngine } from './engine.contract.ts';

describeEngine('memory', () => {
  const data = new MemoryData();
  return { handle: () => new MemoryStore({ data }), durable: true, clean: () => undefined };
});

// What survives a power cut is the store's own suite's business: in memory the file is as good, and quick.
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

describeEngine('sqlite', () => {
  const folder = mkdtempSync(join(parent, 'everstep-'));
  return {
    // A small file has no room for the large WAL that a new one is given: a test opens hundreds.
    handle: () =>
      new SqliteStore({ path: join(folder, 'a.db'), synchronous: 'NORMAL', pagesMax: 1_000 }),
    durable: true,
    clean: () => rmSync(folder, { recursive: true, force: true }),
  };
});
