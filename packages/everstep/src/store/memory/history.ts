import type { MemoryData, MemoryHistoryBatch } from './memory-data.ts';
import { unpackBytes } from './packed-bytes.ts';
import type { HistoryBatch, Store } from '../store.ts';

export function memoryHistory(data: MemoryData): Store['history'] {
  return {
    read: async ({ ref, fromEventId, bytesMax }) => {
      const kept = data.runs.get(ref)?.history;
      if (kept === undefined) return [];
      const batches = Array.isArray(kept) ? kept : [kept];
      const page: HistoryBatch[] = [];
      let room = bytesMax;
      for (let i = firstAt(batches, fromEventId); i < batches.length; i += 1) {
        const { firstEventId, nextEventId, packed } = batches[i] as MemoryHistoryBatch;
        if (page.length > 0 && packed.length > room) break;
        room -= packed.length;
        page.push({ firstEventId, nextEventId, bytes: unpackBytes(packed) });
      }
      return page;
    },
  };
}

/** Index of the first batch that reaches past that event. */
function firstAt(batches: readonly MemoryHistoryBatch[], eventId: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((batches[middle] as MemoryHistoryBatch).nextEventId <= eventId) low = middle + 1;
    else high = middle;
  }
  return low;
}
