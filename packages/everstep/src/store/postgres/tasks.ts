import type { PostgresQuestions } from './database.ts';
import { backlogOf, keyOf, taskOf } from '../sql-rows.ts';
import type { Store, TaskKind } from '../store.ts';
import { namespaceSql } from './runs.ts';

export function postgresTasks(db: PostgresQuestions): Store['tasks'] {
  const { schema } = db;
  return {
    claim: async ({ namespaceId, kind, taskQueue, processId, limit, types }) => {
      // Asked once: rows that were claimed by a try whose answer was lost go back with their process.
      const { rows } = await db.once(
        `SELECT * FROM ${schema}.claim_tasks_1($1, $2, $3, $4, $5, $6::text[])`,
        [namespaceId, kind, taskQueue, processId, limit, types ?? null],
      );
      return rows.map((row) => taskOf(row, keyOf({ ...row, namespace_id: namespaceId })));
    },
    release: async ({ taskIds }) => {
      await db.write(
        `UPDATE ${schema}.tasks SET claimed_by = '' WHERE task_id = ANY ($1::bigint[])`,
        [taskIds],
      );
    },
    releaseAll: async ({ processId }) => {
      await db.write(
        `UPDATE ${schema}.tasks SET claimed_by = '' WHERE claimed_by <> '' AND claimed_by = $1`,
        [processId],
      );
    },
    delete: async ({ taskIds }) => {
      await db.write(`DELETE FROM ${schema}.tasks WHERE task_id = ANY ($1::bigint[])`, [taskIds]);
    },
    unstick: ({ namespaceId, taskQueue }) =>
      db.write(
        `UPDATE ${schema}.tasks SET task_queue = normal_task_queue, normal_task_queue = '', claimed_by = ''
         WHERE namespace = ${namespaceSql(schema, 1)} AND kind IN ('workflow', 'activity') AND task_queue = $2
         AND normal_task_queue <> ''`,
        [namespaceId, taskQueue],
      ),
    backlog: async ({ namespaceId, kind, taskQueue }) => {
      const [row] = await db.read(
        `SELECT count(*) AS count, min(created_at) AS oldest FROM ${schema}.tasks
         WHERE namespace = ${namespaceSql(schema, 1)} AND kind = $2 AND task_queue = $3`,
        [namespaceId, kind, taskQueue],
      );
      return backlogOf(row);
    },
    queues: async () => {
      const rows = await db.read(
        `SELECT k.namespace_id, t.kind, t.task_queue, count(*) AS count FROM ${schema}.tasks t
         JOIN ${schema}.namespace_numbers k ON k.namespace = t.namespace
         GROUP BY t.namespace, k.namespace_id, t.kind, t.task_queue
         ORDER BY t.namespace, t.kind, t.task_queue`,
      );
      return rows.map((row) => ({
        namespaceId: row['namespace_id'] as string,
        kind: row['kind'] as TaskKind,
        taskQueue: row['task_queue'] as string,
        count: row['count'] as number,
      }));
    },
  };
}
