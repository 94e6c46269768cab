import { gathered } from '../gathered.ts';
import { dueOf, headsOf, keyOf, refsOf, storedRunOf } from '../sql-rows.ts';
import type { RunHead, RunRef, Store } from '../store.ts';
import type { MysqlQuestions } from './database.ts';
import type { SqlRow } from './driver.ts';
import { listOf, literal } from './literal.ts';

/** All of a run but its state, from `runs r`, `visibility v` and `namespace_numbers k`. */
export const runColumnsSql = `k.namespace_id, v.workflow_id, v.run_id, v.workflow_type, v.task_queue, v.status,
  v.start_time, v.execution_time, v.close_time, v.parent_workflow_id, v.parent_run_id, v.root_workflow_id,
  v.root_run_id, v.first_run_id, v.memo, v.search_attributes, v.search_values,
  r.ref, r.wake_at, r.delete_at, r.history_events, r.history_bytes, r.holder`;

interface WorkflowOf {
  readonly namespaceId: string;
  readonly workflowId: string;
}

/** Questions that share a round trip at most. */
const headsAtOnce = 500;

function headOf(row: SqlRow): RunHead {
  return { ref: row['ref'] as RunRef, version: row['version'] as number };
}

export function mysqlRuns(db: MysqlQuestions): Store['runs'] {
  const { runs, visibility, namespace_numbers, history, tasks, outbox } = db.tables;
  const storedRun = `SELECT ${runColumnsSql}, r.version, r.checksum, r.operation_token, r.state, v.former = '' AS is_current
    FROM ${visibility} v JOIN ${runs} r ON r.ref = v.ref
    JOIN ${namespace_numbers} k ON k.namespace = v.namespace`;
  const ofWorkflow = (namespaceId: string, workflowId: string): string =>
    `v.namespace = ${db.namespaceSql(namespaceId)} AND v.workflow_id = ${literal(workflowId)}`;
  const one = async (sql: string) => {
    const [row] = await db.read(`${sql}${db.sharing}`);
    return row && storedRunOf(row, keyOf(row), `the ${db.description}`);
  };
  return {
    load: ({ key: { namespaceId, workflowId, runId } }) =>
      one(
        `${storedRun} WHERE ${ofWorkflow(namespaceId, workflowId)} AND v.former IN ('', ${literal(runId)})
         AND v.run_id = ${literal(runId)}`,
      ),
    loadByRef: ({ ref }) => one(`${storedRun} WHERE v.ref = ${literal(ref)}`),
    loadCurrent: ({ namespaceId, workflowId }) =>
      one(`${storedRun} WHERE ${ofWorkflow(namespaceId, workflowId)} AND v.former = ''`),
    currentHead: gathered(async (asked: readonly WorkflowOf[]) => {
      const ids = new Map<string, string[]>();
      for (const { namespaceId, workflowId } of asked) {
        ids.set(namespaceId, [...(ids.get(namespaceId) ?? []), workflowId]);
      }
      const heads = new Map<string, RunHead>();
      for (const [namespaceId, workflowIds] of ids) {
        const rows = await db.read(
          `SELECT v.workflow_id, r.ref, r.version FROM ${visibility} v JOIN ${runs} r ON r.ref = v.ref
           WHERE v.namespace = ${db.namespaceSql(namespaceId)} AND v.workflow_id IN ${listOf(workflowIds)}
           AND v.former = ''${db.sharing}`,
        );
        for (const row of rows)
          heads.set(`${namespaceId}/${String(row['workflow_id'])}`, headOf(row));
      }
      return asked.map(({ namespaceId, workflowId }) => heads.get(`${namespaceId}/${workflowId}`));
    }, headsAtOnce),
    heads: gathered(async (asked: readonly { readonly refs: readonly RunRef[] }[]) => {
      const every = [...new Set(asked.flatMap(({ refs }) => refs))];
      if (every.length === 0) return asked.map(() => []);
      const rows = await db.read(
        `SELECT ref, version FROM ${runs} WHERE ref IN ${listOf(every)}${db.sharing}`,
      );
      return asked.map(({ refs }) => headsOf(rows, refs));
    }, headsAtOnce),
    due: async ({ now, limit }) => {
      const rows = await db.read(
        `SELECT ref, wake_at FROM ${runs} WHERE wake_at > 0 AND wake_at <= ${literal(now)}
         ORDER BY wake_at, ref LIMIT ${literal(limit)}`,
      );
      return rows.map(dueOf);
    },
    nextWakeAt: async () => {
      const [row] = await db.read(
        `SELECT wake_at FROM ${runs} WHERE wake_at > 0 ORDER BY wake_at LIMIT 1`,
      );
      return (row?.['wake_at'] as number | undefined) ?? 0;
    },
    heldBy: async ({ processId }) =>
      refsOf(
        await db.read(
          `SELECT ref FROM ${runs} WHERE holder IN ${listOf([processId, '*'])} ORDER BY ref`,
        ),
      ),
    expired: async ({ now, limit }) =>
      refsOf(
        await db.read(
          `SELECT ref FROM ${runs} r WHERE delete_at > 0 AND delete_at <= ${literal(now)}
           AND NOT EXISTS (SELECT 1 FROM ${outbox} o WHERE o.ref = r.ref)
           ORDER BY delete_at, ref LIMIT ${literal(limit)}`,
        ),
      ),
    delete: async ({ refs }) => {
      if (refs.length === 0) return;
      const gone = `ref IN ${listOf([...refs].sort((a, b) => a - b))}`;
      // Everybody locks runs first, and in the same order.
      await db.together([
        `SELECT ref FROM ${runs} WHERE ${gone} ORDER BY ref FOR UPDATE`,
        ...[visibility, history, tasks, outbox, runs].map(
          (table) => `DELETE FROM ${table} WHERE ${gone}`,
        ),
      ]);
    },
  };
}
