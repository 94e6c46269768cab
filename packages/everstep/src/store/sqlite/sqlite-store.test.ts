import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStore } from '../store.contract.ts';
import { SqliteStore } from './sqlite-store.ts';

describeStore('sqlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  return {
    handle: () => new SqliteStore({ path: join(folder, 'a.db') }),
    durable: true,
    clean: () => rmSync(folder, { recursive: true, force: true }),
  };
});
