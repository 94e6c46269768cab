import { backlogOf, keyOf, taskOf } from '../sql-rows.ts';
import type { Store, TaskKind } from '../store.ts';
import type { MysqlQuestions } from './database.ts';
import type { SqlRow } from './driver.ts';
import { listOf, literal } from './literal.ts';

export function mysqlTasks(db: MysqlQuestions): Store['tasks'] {
  const { tasks, visibility, processes, namespace_numbers } = db.tables;
  return {
    claim: async ({ namespaceId, kind, taskQueue, processId, limit, types }) => {
      const free = `namespace = ${db.namespaceSql(namespaceId)} AND kind = ${literal(kind)}
        AND task_queue = ${literal(taskQueue)} AND claimed_by = ''${types ? ` AND type IN ${listOf(types)}` : ''}`;
      // Most polls find nothing: they look without writing.
      const there = await db.read(`SELECT 1 FROM ${tasks} WHERE ${free} LIMIT 1`);
      if (there.length === 0) return [];
      const claim = await db.numbers(1);
      const claimed = `t.claimed_by = ${literal(processId)} AND t.claim = ${claim}`;
      // The lock on the process's row makes whoever removes it wait, so that no claim outlives its process unseen.
      // Asked once: rows that were claimed by a try whose answer was lost go back with their process.
      const [, , rows] = await db.together([
        `SELECT 1 FROM ${processes} WHERE process_id = ${literal(processId)} LOCK IN SHARE MODE`,
        `UPDATE ${tasks} t JOIN (
           SELECT task_id FROM ${tasks} WHERE ${free} ORDER BY created_at, task_id LIMIT ${literal(limit)}
           FOR UPDATE SKIP LOCKED
         ) found ON found.task_id = t.task_id
         SET t.claimed_by = ${literal(processId)}, t.claim = ${claim}
         WHERE EXISTS (SELECT 1 FROM ${processes} WHERE process_id = ${literal(processId)})`,
        `SELECT t.*, v.workflow_id, v.run_id FROM ${tasks} t JOIN ${visibility} v ON v.ref = t.ref
         WHERE ${claimed} ORDER BY t.created_at, t.task_id`,
      ]);
      return (rows as readonly SqlRow[]).map((row) =>
        taskOf(row, keyOf({ ...row, namespace_id: namespaceId })),
      );
    },
    release: async ({ taskIds }) => {
      await db.write(`UPDATE ${tasks} SET claimed_by = '' WHERE task_id IN ${listOf(taskIds)}`);
    },
    releaseAll: async ({ processId }) => {
      await db.write(
        `UPDATE ${tasks} SET claimed_by = '' WHERE claimed_by = ${literal(processId)}`,
      );
    },
    delete: async ({ taskIds }) => {
      await db.write(`DELETE FROM ${tasks} WHERE task_id IN ${listOf(taskIds)}`);
    },
    unstick: ({ namespaceId, taskQueue }) =>
      // The server sets columns from the left: the second gets what the first had no more.
      db.write(
        `UPDATE ${tasks} SET task_queue = normal_task_queue, normal_task_queue = '', claimed_by = ''
         WHERE namespace = ${db.namespaceSql(namespaceId)} AND kind IN ('workflow', 'activity')
         AND task_queue = ${literal(taskQueue)} AND normal_task_queue <> ''`,
      ),
    backlog: async ({ namespaceId, kind, taskQueue }) => {
      const [row] = await db.read(
        `SELECT count(*) AS count, min(created_at) AS oldest FROM ${tasks}
         WHERE namespace = ${db.namespaceSql(namespaceId)} AND kind = ${literal(kind)} AND task_queue = ${literal(taskQueue)}`,
      );
      return backlogOf(row);
    },
    queues: async () => {
      const rows = await db.read(
        `SELECT k.namespace_id, t.kind, t.task_queue, count(*) AS count FROM ${tasks} t
         JOIN ${namespace_numbers} k ON k.namespace = t.namespace
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
