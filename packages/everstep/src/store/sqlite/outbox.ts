import type { SqliteDatabase } from './database.ts';
import type { SqlRow } from './driver.ts';
import { keyOf } from './runs.ts';
import type { OutboxRow, Store } from '../store.ts';

export function sqliteOutbox(db: SqliteDatabase): Store['outbox'] {
  const rows = `SELECT o.outbox_id, o.ref, o.created_at, o.bytes, v.namespace, v.workflow_id, v.run_id
    FROM outbox o JOIN visibility v ON v.ref = o.ref`;
  const rowOf = (row: SqlRow): OutboxRow => ({
    outboxId: row['outbox_id'] as number,
    ref: row['ref'] as number,
    key: keyOf(db, row),
    createdAt: row['created_at'] as number,
    bytes: row['bytes'] as Uint8Array,
  });
  return {
    overdue: ({ createdBefore, limit }) =>
      db.answer(() =>
        db
          .statement(`${rows} WHERE o.created_at < ? ORDER BY o.created_at, o.outbox_id LIMIT ?`)
          .all(createdBefore, limit)
          .map(rowOf),
      ),
    ofRun: ({ ref }) =>
      db.answer(() =>
        db.statement(`${rows} WHERE o.ref = ? ORDER BY o.outbox_id`).all(ref).map(rowOf),
      ),
    delete: ({ outboxIds }) =>
      db.answer(() =>
        db.transaction(() => {
          for (const outboxId of outboxIds) {
            db.statement('DELETE FROM outbox WHERE outbox_id = ?').run(outboxId);
          }
        }),
      ),
  };
}
