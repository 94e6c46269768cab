import type { SqliteCommit } from './commit.ts';
import type { SqliteDatabase } from './database.ts';
import type { SqlRow } from './driver.ts';
import { dueOf, refsOf, storedRunOf } from '../sql-rows.ts';
import type { RunHead, RunKey, RunRef, Store } from '../store.ts';

/** All of a run but its state, from `runs r JOIN visibility v`. */
export const runColumnsSql = `v.namespace, v.workflow_id, v.run_id, v.workflow_type, v.task_queue, v.status,
  v.start_time, v.execution_time, v.close_time, v.parent_workflow_id, v.parent_run_id, v.root_workflow_id,
  v.root_run_id, v.first_run_id, v.memo, v.search_attributes, v.search_values,
  r.ref, r.wake_at, r.delete_at, r.history_events, r.history_bytes, r.holder`;

const storedRun = `SELECT ${runColumnsSql}, r.version, r.checksum, r.operation_token, r.state, v.is_current
  FROM visibility v JOIN runs r ON r.ref = v.ref`;
const byCurrent = `${storedRun} WHERE v.namespace = ? AND v.workflow_id = ? AND v.is_current = 1`;
const currentHead = `SELECT r.ref, r.version FROM visibility v JOIN runs r ON r.ref = v.ref
  WHERE v.namespace = ? AND v.workflow_id = ? AND v.is_current = 1`;
const byCurrentKey = `${byCurrent} AND v.run_id = ?`;
const byFormerKey = `${storedRun} WHERE v.namespace = ? AND v.workflow_id = ? AND v.run_id = ? AND v.is_current = 0`;
const byRef = `${storedRun} WHERE v.ref = ?`;
/** Said as the index says it, or SQLite does not see that it may use it. */
const atWork = `wake_at > 0 OR holder <> ''`;

export function sqliteRuns(db: SqliteDatabase, commit: SqliteCommit): Store['runs'] {
  const stored = (row: SqlRow | undefined) => row && storedRunOf(row, keyOf(db, row), db.path);
  return {
    load: ({ key }) =>
      db.answer(() => {
        const ids = [db.namespaceNumber(key.namespaceId), key.workflowId, key.runId];
        return stored(
          db.statement(byCurrentKey).get(...ids) ?? db.statement(byFormerKey).get(...ids),
        );
      }),
    loadByRef: ({ ref }) => db.answer(() => stored(db.statement(byRef).get(ref))),
    loadCurrent: ({ namespaceId, workflowId }) =>
      db.answer(() =>
        stored(db.statement(byCurrent).get(db.namespaceNumber(namespaceId), workflowId)),
      ),
    currentHead: ({ namespaceId, workflowId }) =>
      db.answer(() => {
        const row = db.statement(currentHead).get(db.namespaceNumber(namespaceId), workflowId);
        return row && { ref: row['ref'] as RunRef, version: row['version'] as number };
      }),
    heads: ({ refs }) =>
      db.answer(() => {
        const head = db.statement('SELECT version FROM runs WHERE ref = ?');
        const heads: RunHead[] = [];
        for (const ref of refs) {
          const row = head.get(ref);
          if (row !== undefined) heads.push({ ref, version: row['version'] as number });
        }
        return heads;
      }),
    due: ({ now, limit }) =>
      db.answer(() =>
        db
          .statement(
            `SELECT ref, wake_at FROM runs WHERE (${atWork}) AND wake_at > 0 AND wake_at <= ?
              ORDER BY wake_at, ref LIMIT ?`,
          )
          .all(now, limit)
          .map(dueOf),
      ),
    nextWakeAt: () =>
      db.answer(
        () =>
          (db
            .statement(
              `SELECT wake_at FROM runs WHERE (${atWork}) AND wake_at > 0 ORDER BY wake_at LIMIT 1`,
            )
            .get()?.['wake_at'] as number | undefined) ?? 0,
      ),
    heldBy: ({ processId }) =>
      db.answer(() =>
        refsOf(
          db
            .statement(`SELECT ref FROM runs WHERE (${atWork}) AND holder IN (?, '*') ORDER BY ref`)
            .all(processId),
        ),
      ),
    expired: ({ now, limit }) =>
      db.answer(() =>
        refsOf(
          db
            .statement(
              `SELECT ref FROM runs WHERE delete_at > 0 AND delete_at <= ?
               AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.ref = runs.ref)
               ORDER BY delete_at, ref LIMIT ?`,
            )
            .all(now, limit),
        ),
      ),
    delete: ({ refs }) => db.answer(() => db.transaction(() => commit.deleteRuns(refs))),
  };
}

export function keyOf(db: SqliteDatabase, row: SqlRow): RunKey {
  return {
    namespaceId: db.namespaceId(row['namespace'] as number),
    workflowId: row['workflow_id'] as string,
    runId: row['run_id'] as string,
  };
}
