import type { PostgresDatabase } from './database.ts';
import { processOf } from '../sql-rows.ts';
import type { Glance, GlanceRequest } from '../store.ts';

/** One round trip, which writes only when a heartbeat is due. */
export function postgresGlance(db: PostgresDatabase): (request: GlanceRequest) => Promise<Glance> {
  const { schema } = db;
  const text = `WITH beat AS (
      UPDATE ${schema}.processes SET heartbeat_at = $2
      WHERE process_id = $1 AND $2::float8 IS NOT NULL RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM ${schema}.processes WHERE process_id = $1) AND
        ($2::float8 IS NULL OR EXISTS (SELECT 1 FROM beat)) AS is_announced,
      (SELECT coalesce(json_agg(p ORDER BY p.started_at, p.process_id), '[]') FROM ${schema}.processes p) AS processes,
      EXISTS (
        SELECT 1 FROM unnest($3::text[], $4::text[], $5::text[]) AS q (namespace_id, kind, task_queue)
        JOIN ${schema}.namespace_numbers k ON k.namespace_id = q.namespace_id
        JOIN ${schema}.tasks t ON t.namespace = k.namespace AND t.kind = q.kind AND t.task_queue = q.task_queue
        WHERE t.claimed_by = ''
      ) AS has_tasks,
      EXISTS (SELECT 1 FROM ${schema}.mail WHERE process_id = $1) AS has_mail,
      EXISTS (SELECT 1 FROM ${schema}.outbox WHERE created_at < $6) AS has_overdue,
      coalesce((
        SELECT wake_at FROM ${schema}.runs WHERE (wake_at > 0 OR holder <> '') AND wake_at > 0
        ORDER BY wake_at LIMIT 1
      ), 0) AS next_wake_at,
      (SELECT string_agg(namespace_id || ' ' || version, ',' ORDER BY namespace_id)
        FROM ${schema}.namespaces) AS namespaces_mark`;
  return async ({ processId, heartbeatAt, queues, createdBefore }) => {
    const [row = {}] = await db.read(text, [
      processId,
      heartbeatAt ?? null,
      queues.map(({ namespaceId }) => namespaceId),
      queues.map(({ kind }) => kind),
      queues.map(({ taskQueue }) => taskQueue),
      createdBefore,
    ]);
    const processes = JSON.parse(row['processes'] as string) as Record<string, unknown>[];
    return {
      isAnnounced: row['is_announced'] as boolean,
      processes: processes.map(processOf),
      hasTasks: row['has_tasks'] as boolean,
      hasMail: row['has_mail'] as boolean,
      hasOverdue: row['has_overdue'] as boolean,
      nextWakeAt: row['next_wake_at'] as number,
      namespacesMark: (row['namespaces_mark'] as string | null) ?? '',
    };
  };
}
