import type { SqliteDatabase } from './database.ts';
import { keyOf } from './runs.ts';
import type { Store } from '../store.ts';

export function sqliteOutbox(db: SqliteDatabase): Store['outbox'] {
  return {
    overdue: ({ createdBefore, limit }) =>
      db.answer(() =>
        db
          .statement(
            `SELECT o.outbox_id, o.ref, o.created_at, o.bytes, v.namespace, v.workflow_id, v.run_id
             FROM outbox o JOIN visibility v ON v.ref = o.ref
             WHERE o.created_at < ? ORDER BY o.created_at, o.outbox_id LIMIT ?`,
          )
          .all(createdBefore, limit)
          .map((row) => ({
            outboxId: row['outbox_id'] as number,
            ref: row['ref'] as number,
            key: keyOf(db, row),
            createdAt: row['created_at'] as number,
            bytes: row['bytes'] as Uint8Array,
          })),
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
