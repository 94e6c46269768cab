import type { PostgresQuestions } from './database.ts';
import type { SqlRow } from './driver.ts';
import { keyOf } from './runs.ts';
import type { OutboxRow, Store } from '../store.ts';

export function postgresOutbox(db: PostgresQuestions): Store['outbox'] {
  const { schema } = db;
  const rows = `SELECT o.outbox_id, o.ref, o.created_at, o.bytes, k.namespace_id, v.workflow_id, v.run_id
    FROM ${schema}.outbox o JOIN ${schema}.visibility v ON v.ref = o.ref
    JOIN ${schema}.namespace_numbers k ON k.namespace = v.namespace`;
  return {
    overdue: async ({ createdBefore, limit }) => {
      const found = await db.read(
        `${rows} WHERE o.created_at < $1 ORDER BY o.created_at, o.outbox_id LIMIT $2`,
        [createdBefore, limit],
      );
      return found.map(rowOf);
    },
    ofRun: async ({ ref }) =>
      (await db.read(`${rows} WHERE o.ref = $1 ORDER BY o.outbox_id`, [ref])).map(rowOf),
    delete: async ({ outboxIds }) => {
      await db.write(`DELETE FROM ${schema}.outbox WHERE outbox_id = ANY ($1::bigint[])`, [
        outboxIds,
      ]);
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
