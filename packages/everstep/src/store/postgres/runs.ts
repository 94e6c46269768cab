import type { PostgresQuestions } from './database.ts';
import type { SqlRow } from './driver.ts';
import { gathered } from '../gathered.ts';
import { dueOf, headsOf, keyOf, refsOf, storedRunOf } from '../sql-rows.ts';
import type { RunHead, RunRef, Store } from '../store.ts';

/** All of a run but its state, from `runs r`, `visibility v` and `namespace_numbers k`. */
export const runColumnsSql = `k.namespace_id, v.workflow_id, v.run_id, v.workflow_type, v.task_queue, v.status,
  v.start_time, v.execution_time, v.close_time, v.parent_workflow_id, v.parent_run_id, v.root_workflow_id,
  v.root_run_id, v.first_run_id, v.memo, v.search_attributes, v.search_values,
  r.ref, r.wake_at, r.delete_at, r.history_events, r.history_bytes, r.holder`;

/** Said as the index says it, so that it may be used. */
const atWork = `(wake_at > 0 OR holder <> '')`;

/** The number of the namespace whose id is that parameter. */
export function namespaceSql(schema: string, parameter: number): string {
  return `(SELECT namespace FROM ${schema}.namespace_numbers WHERE namespace_id = $${parameter})`;
}

interface WorkflowOf {
  readonly namespaceId: string;
  readonly workflowId: string;
}

/** Questions that share a round trip at most. */
const headsAtOnce = 500;

function headOf(row: SqlRow): RunHead {
  return { ref: row['ref'] as RunRef, version: row['version'] as number };
}

export function postgresRuns(db: PostgresQuestions): Store['runs'] {
  const { schema } = db;
  const storedRun = `SELECT ${runColumnsSql}, r.version, r.checksum, r.operation_token, r.state, v.is_current
    FROM ${schema}.visibility v JOIN ${schema}.runs r ON r.ref = v.ref
    JOIN ${schema}.namespace_numbers k ON k.namespace = v.namespace`;
  const ofWorkflow = `v.namespace = ${namespaceSql(schema, 1)} AND v.workflow_id = $2`;
  const one = async (text: string, values: readonly (string | number)[]) => {
    const [row] = await db.read(text, values);
    return row && storedRunOf(row, keyOf(row), `the ${db.description}`);
  };
  return {
    load: ({ key }) =>
      one(
        `${storedRun} WHERE ${ofWorkflow} AND v.run_id = $3 AND v.is_current
         UNION ALL ${storedRun} WHERE ${ofWorkflow} AND v.run_id = $3 AND NOT v.is_current`,
        [key.namespaceId, key.workflowId, key.runId],
      ),
    loadByRef: ({ ref }) => one(`${storedRun} WHERE v.ref = $1`, [ref]),
    loadCurrent: ({ namespaceId, workflowId }) =>
      one(`${storedRun} WHERE ${ofWorkflow} AND v.is_current`, [namespaceId, workflowId]),
    currentHead: gathered(async (asked: readonly WorkflowOf[]) => {
      const rows = await db.read(
        `SELECT i.place, r.ref, r.version
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS i (namespace_id, workflow_id, place)
         JOIN ${schema}.namespace_numbers k ON k.namespace_id = i.namespace_id
         JOIN ${schema}.visibility v ON v.namespace = k.namespace AND v.workflow_id = i.workflow_id AND v.is_current
         JOIN ${schema}.runs r ON r.ref = v.ref`,
        [asked.map((one) => one.namespaceId), asked.map((one) => one.workflowId)],
      );
      const heads = new Map(rows.map((row) => [row['place'], headOf(row)]));
      return asked.map((_one, index) => heads.get(index + 1));
    }, headsAtOnce),
    heads: gathered(async (asked: readonly { readonly refs: readonly RunRef[] }[]) => {
      const every = [...new Set(asked.flatMap(({ refs }) => refs))];
      if (every.length === 0) return asked.map(() => []);
      const rows = await db.read(
        `SELECT ref, version FROM ${schema}.runs WHERE ref = ANY ($1::bigint[])`,
        [every],
      );
      return asked.map(({ refs }) => headsOf(rows, refs));
    }, headsAtOnce),
    due: async ({ now, limit }) => {
      const rows = await db.read(
        `SELECT ref, wake_at FROM ${schema}.runs WHERE ${atWork} AND wake_at > 0 AND wake_at <= $1
         ORDER BY wake_at, ref LIMIT $2`,
        [now, limit],
      );
      return rows.map(dueOf);
    },
    nextWakeAt: async () => {
      const [row] = await db.read(
        `SELECT wake_at FROM ${schema}.runs WHERE ${atWork} AND wake_at > 0 ORDER BY wake_at LIMIT 1`,
      );
      return (row?.['wake_at'] as number | undefined) ?? 0;
    },
    heldBy: async ({ processId }) =>
      refsOf(
        await db.read(
          `SELECT ref FROM ${schema}.runs WHERE ${atWork} AND holder IN ($1, '*') ORDER BY ref`,
          [processId],
        ),
      ),
    expired: async ({ now, limit }) =>
      refsOf(
        await db.read(
          `SELECT ref FROM ${schema}.runs r WHERE delete_at > 0 AND delete_at <= $1
           AND NOT EXISTS (SELECT 1 FROM ${schema}.outbox o WHERE o.ref = r.ref)
           ORDER BY delete_at, ref LIMIT $2`,
          [now, limit],
        ),
      ),
    delete: async ({ refs }) => {
      if (refs.length === 0) return;
      // Everybody locks in the same order.
      await db.write(
        `WITH gone AS MATERIALIZED (
           SELECT ref FROM ${schema}.runs WHERE ref = ANY ($1::bigint[]) ORDER BY ref FOR UPDATE
         ),
         a AS (DELETE FROM ${schema}.visibility d USING gone WHERE d.ref = gone.ref),
         b AS (DELETE FROM ${schema}.history d USING gone WHERE d.ref = gone.ref),
         c AS (DELETE FROM ${schema}.tasks d USING gone WHERE d.ref = gone.ref),
         d AS (DELETE FROM ${schema}.outbox d USING gone WHERE d.ref = gone.ref)
         DELETE FROM ${schema}.runs d USING gone WHERE d.ref = gone.ref`,
        [refs],
      );
    },
  };
}
