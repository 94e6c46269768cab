import { crc32 } from 'node:zlib';
import { describeRun } from '../run-columns.ts';
import { StoreError } from '../store.ts';
import type { HistoryBatch, RunRef, Store } from '../store.ts';
import type { MysqlDatabase } from './database.ts';
import { literal } from './literal.ts';
import { keyOf } from './runs.ts';

/** Rows are fetched a few at a time, so that a page of a long history does not read the rest of it. */
const rowsAtOnce = 64;

export function mysqlHistory(db: MysqlDatabase): Store['history'] {
  const { history } = db.tables;
  // What the page has no room for is not read either; its first row always is.
  const page = (ref: RunRef, from: number, room: number): string =>
    `SELECT first_event_id, next_event_id, checksum, bytes FROM (
      SELECT rest.*, sum(octet_length(bytes)) OVER (ORDER BY first_event_id) AS total, row_number() OVER (ORDER BY first_event_id) AS place
      FROM (
        SELECT * FROM ${history} WHERE ref = ${ref} AND next_event_id > ${from} AND first_event_id >= coalesce(
          (SELECT max(first_event_id) FROM ${history} WHERE ref = ${ref} AND first_event_id <= ${from}), 0)
        ORDER BY first_event_id LIMIT ${rowsAtOnce}
      ) rest
    ) counted WHERE total <= ${literal(room)} OR place = 1 ORDER BY first_event_id`;
  return {
    read: async ({ ref, fromEventId, bytesMax }) => {
      const batches: HistoryBatch[] = [];
      let room = bytesMax;
      let from = fromEventId;
      for (;;) {
        const rows = await db.read(page(ref, from, room));
        for (const row of rows) {
          const bytes = row['bytes'] as Uint8Array;
          const firstEventId = row['first_event_id'] as number;
          const nextEventId = row['next_event_id'] as number;
          if (batches.length > 0 && bytes.length > room) return batches;
          if (crc32(bytes) !== row['checksum']) {
            throw await corrupt(db, ref, firstEventId, nextEventId);
          }
          room -= bytes.length;
          from = nextEventId;
          batches.push({ firstEventId, nextEventId, bytes });
        }
        if (rows.length < rowsAtOnce) return batches;
      }
    },
  };
}

async function corrupt(
  db: MysqlDatabase,
  ref: RunRef,
  first: number,
  next: number,
): Promise<StoreError> {
  const [row] = await db.read(
    `SELECT k.namespace_id, v.workflow_id, v.run_id FROM ${db.tables.visibility} v
     JOIN ${db.tables.namespace_numbers} k ON k.namespace = v.namespace WHERE v.ref = ${ref}`,
  );
  const run = row === undefined ? `run number ${ref}` : describeRun(keyOf(row));
  return new StoreError(
    'STORE_CORRUPT',
    `Events ${first} to ${next - 1} of ${run} in the ${db.description} do not match their checksum: the disk or another program has changed them. Other runs are not touched by this. Restore a backup, or delete this run.`,
    { cause: { ref, firstEventId: first }, damagedRun: ref },
  );
}
