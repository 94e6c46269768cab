import { crc32 } from 'node:zlib';
import type { SqliteDatabase } from './database.ts';
import { damagedEvents } from '../sql-rows.ts';
import { keyOf } from './runs.ts';
import type { HistoryBatch, RunRef, Store, StoreError } from '../store.ts';

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
  return damagedEvents({ ref, first, next }, row && keyOf(db, row), db.path);
}
