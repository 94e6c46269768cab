import type { OutboxRow, Store } from '../store.ts';
import type { MysqlDatabase } from './database.ts';
import type { SqlRow } from './driver.ts';
import { listOf, literal } from './literal.ts';
import { keyOf } from './runs.ts';

export function mysqlOutbox(db: MysqlDatabase): Store['outbox'] {
  const { outbox, visibility, namespace_numbers } = db.tables;
  const rows = `SELECT o.outbox_id, o.ref, o.created_at, o.bytes, k.namespace_id, v.workflow_id, v.run_id
    FROM ${outbox} o JOIN ${visibility} v ON v.ref = o.ref
    JOIN ${namespace_numbers} k ON k.namespace = v.namespace`;
  return {
    overdue: async ({ createdBefore, limit }) => {
      const found = await db.read(
        `${rows} WHERE o.created_at < ${literal(createdBefore)} ORDER BY o.created_at, o.outbox_id LIMIT ${literal(limit)}`,
      );
      return found.map(rowOf);
    },
    ofRun: async ({ ref }) =>
      (await db.read(`${rows} WHERE o.ref = ${literal(ref)} ORDER BY o.outbox_id`)).map(rowOf),
    delete: async ({ outboxIds }) => {
      await db.write(`DELETE FROM ${outbox} WHERE outbox_id IN ${listOf(outboxIds)}`);
    },
  };
}

function rowOf(row: SqlRow): OutboxRow {
  return {
    outboxId: row['outbox_id'] as number,
    ref: row['ref'] as number,
    key: keyOf(row),
    createdAt: row['created_at'] as number,
    bytes: row['bytes'] as Uint8Array,
  };
}
