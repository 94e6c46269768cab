/** Reads a run's history from a database server, a page of rows at a time. */
import { crc32 } from 'node:zlib';
import { damagedEvents } from './sql-rows.ts';
import type { HistoryBatch, RunKey, RunRef } from './store.ts';

/** Rows are fetched a few at a time, so that a page of a long history does not read the rest of it. */
export const rowsAtOnce = 64;

export interface HistoryPages {
  readonly database: string;
  /** Rows with events from that one on, in order: as many as fit into `room` bytes, at least one, at most rowsAtOnce. */
  page(from: number, room: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  keyOf(ref: RunRef): Promise<RunKey | undefined>;
}

/** @throws StoreError STORE_CORRUPT, with the damaged run. */
export async function readPages(
  pages: HistoryPages,
  request: { readonly ref: RunRef; readonly fromEventId: number; readonly bytesMax: number },
): Promise<readonly HistoryBatch[]> {
  const { ref } = request;
  const batches: HistoryBatch[] = [];
  let room = request.bytesMax;
  let from = request.fromEventId;
  for (;;) {
    const rows = await pages.page(from, room);
    for (const row of rows) {
      const bytes = row['bytes'] as Uint8Array;
      const first = row['first_event_id'] as number;
      const next = row['next_event_id'] as number;
      if (batches.length > 0 && bytes.length > room) return batches;
      if (crc32(bytes) !== row['checksum']) {
        throw damagedEvents({ ref, first, next }, await pages.keyOf(ref), pages.database);
      }
      room -= bytes.length;
      from = next;
      batches.push({ firstEventId: first, nextEventId: next, bytes });
    }
    if (rows.length < rowsAtOnce) return batches;
  }
}
