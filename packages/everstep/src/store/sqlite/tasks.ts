import type { SqliteDatabase } from './database.ts';
import { backlogOf, taskOf } from '../sql-rows.ts';
import type { Store, TaskKind } from '../store.ts';
import { keyOf } from './runs.ts';

export function sqliteTasks(db: SqliteDatabase): Store['tasks'] {
  const known = (types: boolean): string =>
    types ? 'AND t.type IN (SELECT value FROM json_each(?))' : '';
  const free = (types: boolean): string =>
    `SELECT t.*, v.workflow_id, v.run_id FROM tasks t JOIN visibility v ON v.ref = t.ref
    WHERE t.namespace = ? AND t.kind = ? AND t.task_queue = ? AND t.claimed_by = '' ${known(types)}
    ORDER BY t.created_at, t.task_id LIMIT ?`;
  const any = (types: boolean): string => `SELECT 1 AS found FROM tasks t
    WHERE t.namespace = ? AND t.kind = ? AND t.task_queue = ? AND t.claimed_by = '' ${known(types)} LIMIT 1`;
  const sql = {
    all: { any: any(false), free: free(false) },
    known: { any: any(true), free: free(true) },
  };
  const announced = 'SELECT 1 AS found FROM processes WHERE process_id = ?';
  const isAlone = (processId: string): boolean => {
    const rows = db.statement('SELECT process_id FROM processes LIMIT 2').all();
    return rows.length === 1 && rows[0]?.['process_id'] === processId;
  };
  const claim = 'UPDATE tasks SET claimed_by = ? WHERE task_id = ?';
  return {
    claim: ({ namespaceId, kind, taskQueue, processId, limit, types, evenAlone }) =>
      db.answer(() => {
        const queue = [db.namespaceNumber(namespaceId), kind, taskQueue];
        if (types) queue.push(JSON.stringify(types));
        const { any, free } = types ? sql.known : sql.all;
        // Most polls find nothing: they look without the write lock.
        if (db.statement(any).get(...queue) === undefined) return [];
        if (evenAlone !== true && isAlone(processId)) {
          const rows = db.statement(free).all(...queue, limit);
          return rows.map((row) => taskOf(row, keyOf(db, row)));
        }
        return db.transaction(() => {
          if (db.statement(announced).get(processId) === undefined) return [];
          const rows = db.statement(free).all(...queue, limit);
          for (const row of rows) db.statement(claim).run(processId, row['task_id'] ?? 0);
          return rows.map((row) => taskOf(row, keyOf(db, row)));
        });
      }),
    release: ({ taskIds }) =>
      db.answer(() =>
        db.transaction(() => {
          for (const taskId of taskIds) db.statement(claim).run('', taskId);
        }),
      ),
    releaseAll: ({ processId }) =>
      db.answer(() => {
        db.statement(
          `UPDATE tasks SET claimed_by = '' WHERE claimed_by <> '' AND claimed_by = ?`,
        ).run(processId);
      }),
    delete: ({ taskIds }) =>
      db.answer(() =>
        db.transaction(() => {
          for (const taskId of taskIds) {
            db.statement('DELETE FROM tasks WHERE task_id = ?').run(taskId);
          }
        }),
      ),
    unstick: ({ namespaceId, taskQueue }) =>
      db.answer(() =>
        Number(
          db
            .statement(
              `UPDATE tasks SET task_queue = normal_task_queue, normal_task_queue = '', claimed_by = ''
               WHERE namespace = ? AND kind IN ('workflow', 'activity') AND task_queue = ?
               AND normal_task_queue <> ''`,
            )
            .run(db.namespaceNumber(namespaceId), taskQueue).changes,
        ),
      ),
    backlog: ({ namespaceId, kind, taskQueue }) =>
      db.answer(() => {
        const row = db
          .statement(
            `SELECT count(*) AS count, min(created_at) AS oldest FROM tasks
             WHERE namespace = ? AND kind = ? AND task_queue = ?`,
          )
          .get(db.namespaceNumber(namespaceId), kind, taskQueue);
        return backlogOf(row);
      }),
    queues: () =>
      db.answer(() =>
        db
          .statement(
            `SELECT namespace, kind, task_queue, count(*) AS count FROM tasks
             GROUP BY namespace, kind, task_queue`,
          )
          .all()
          .map((row) => ({
            namespaceId: db.namespaceId(row['namespace'] as number),
            kind: row['kind'] as TaskKind,
            taskQueue: row['task_queue'] as string,
            count: row['count'] as number,
          })),
      ),
  };
}
