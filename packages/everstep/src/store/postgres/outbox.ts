import type { PostgresQuestions } from './database.ts';
import { outboxRowOf } from '../sql-rows.ts';
import type { Store } from '../store.ts';

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
      return found.map(outboxRowOf);
    },
    ofRun: async ({ ref }) =>
      (await db.read(`${rows} WHERE o.ref = $1 ORDER BY o.outbox_id`, [ref])).map(outboxRowOf),
    delete: async ({ outboxIds }) => {
      await db.write(`DELETE FROM ${schema}.outbox WHERE outbox_id = ANY ($1::bigint[])`, [
        outboxIds,
      ]);
    },
  };
}
