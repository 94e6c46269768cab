import type { MemoryData } from './memory-data.ts';
import type { OutboxRow, Store } from '../store.ts';

export function memoryOutbox(data: MemoryData): Store['outbox'] {
  return {
    overdue: async ({ createdBefore, limit }) => {
      const rows: OutboxRow[] = [];
      for (const [outboxId, { ref, createdAt, bytes }] of data.outbox) {
        const key = data.runs.get(ref)?.key;
        if (key === undefined || createdAt >= createdBefore) continue;
        rows.push({ outboxId, ref, key, createdAt, bytes });
      }
      rows.sort((a, b) => a.createdAt - b.createdAt || a.outboxId - b.outboxId);
      return rows.slice(0, limit);
    },
    ofRun: async ({ ref }) => {
      const run = data.runs.get(ref);
      const rows: OutboxRow[] = [];
      for (const outboxId of run?.outboxIds ?? []) {
        const row = data.outbox.get(outboxId);
        if (run && row) rows.push({ outboxId, key: run.key, ...row });
      }
      return rows;
    },
    delete: async ({ outboxIds }) => {
      for (const outboxId of outboxIds) data.deleteOutbox(outboxId);
    },
  };
}
