/** A new folder for the files of a measurement, on a disk: a file in memory would make every commit free. */
import { mkdirSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** tmpfs and ramfs, as statfs(2) numbers them. */
const inMemory = new Set([0x01021994, 0x858458f6]);

export function makeDataFolder(): string {
  const parent = inMemory.has(statfsSync(tmpdir()).type)
    ? join(process.cwd(), '.everstep')
    : tmpdir();
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'everstep-bench-'));
}
