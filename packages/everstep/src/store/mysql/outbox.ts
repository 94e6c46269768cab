import type { Store } from '../store.ts';
import type { MysqlQuestions } from './database.ts';
import { listOf, literal } from './literal.ts';
import { outboxRowOf } from '../sql-rows.ts';

export function mysqlOutbox(db: MysqlQuestions): Store['outbox'] {
  const { outbox, visibility, namespace_numbers } = db.tables;
  const rows = `SELECT o.outbox_id, o.ref, o.created_at, o.bytes, k.namespace_id, v.workflow_id, v.run_id
    FROM ${outbox} o JOIN ${visibility} v ON v.ref = o.ref
    JOIN ${namespace_numbers} k ON k.namespace = v.namespace`;
  return {
    overdue: async ({ createdBefore, limit }) => {
      const found = await db.read(
        `${rows} WHERE o.created_at < ${literal(createdBefore)} ORDER BY o.created_at, o.outbox_id LIMIT ${literal(limit)}`,
      );
      return found.map(outboxRowOf);
    },
    ofRun: async ({ ref }) =>
      (await db.read(`${rows} WHERE o.ref = ${literal(ref)} ORDER BY o.outbox_id`)).map(
        outboxRowOf,
      ),
    delete: async ({ outboxIds }) => {
      await db.write(`DELETE FROM ${outbox} WHERE outbox_id IN ${listOf(outboxIds)}`);
    },
  };
}
