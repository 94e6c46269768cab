import { crc32 } from 'node:zlib';
import type { SqliteDatabase } from './database.ts';
import { describeRun } from '../run-columns.ts';
import { keyOf } from './runs.ts';
import { StoreError } from '../store.ts';
import type { HistoryBatch, RunRef, Store } from '../store.ts';

/** Rows are fetched a few at a time, so that a page of a long history does not read the rest of it. */
const rowsAtOnce = 64;

export function sqliteHistory(db: SqliteDatabase): Store['history'] {
  const rows = `SELECT first_event_id, next_event_id, checksum, bytes FROM history
    WHERE ref = ? AND first_event_id >= ? ORDER BY first_event_id LIMIT ${rowsAtOnce}`;
  const start = `SELECT max(first_event_id) AS first FROM history WHERE ref = ? AND first_event_id <= ?`;
  return {
    read: ({ ref, fromEventId, bytesMax }) =>
      db.answer(() => {
        const batches: HistoryBatch[] = [];
        let room = bytesMax;
        let from = (db.statement(start).get(ref, fromEventId)?.['first'] as number | null) ?? 1;
        for (;;) {
          const page = db.statement(rows).all(ref, from);
          for (const row of page) {
            const bytes = row['bytes'] as Uint8Array;
            const nextEventId = row['next_event_id'] as number;
            const firstEventId = row['first_event_id'] as number;
            from = firstEventId + 1;
            if (nextEventId <= fromEventId) continue;
            if (batches.length > 0 && bytes.length > room) return batches;
            if (crc32(bytes) !== row['checksum']) throw corrupt(db, ref, firstEventId, nextEventId);
            room -= bytes.length;
            batches.push({ firstEventId, nextEventId, bytes });
          }
          if (page.length < rowsAtOnce) return batches;
        }
      }),
  };
}

function corrupt(db: SqliteDatabase, ref: RunRef, first: number, next: number): StoreError {
  const row = db
    .statement('SELECT namespace, workflow_id, run_id FROM visibility WHERE ref = ?')
    .get(ref);
  const run = row === undefined ? `run number ${ref}` : describeRun(keyOf(db, row));
  return new StoreError(
    'STORE_CORRUPT',
    `Events ${first} to ${next - 1} of ${run} in ${db.path} do not match their checksum: the disk or another program ` +
      `has changed them. Other runs are not touched by this. Restore a backup, or delete this run.`,
    { cause: { ref, firstEventId: first }, damagedRun: ref },
  );
}
