import type { PostgresDatabase } from './database.ts';
import { processOf, processValues } from '../sql-rows.ts';
import type { Store } from '../store.ts';

export function postgresProcesses(db: PostgresDatabase): Store['processes'] {
  const { schema } = db;
  return {
    announce: async ({ process }) => {
      await db.write(
        `INSERT INTO ${schema}.processes (process_id, pid, host_id, started_at, heartbeat_at, queues)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (process_id) DO UPDATE SET pid = excluded.pid, host_id = excluded.host_id,
           started_at = excluded.started_at, heartbeat_at = excluded.heartbeat_at, queues = excluded.queues`,
        processValues(process),
      );
    },
    heartbeat: async ({ processId, now }) =>
      (await db.write(`UPDATE ${schema}.processes SET heartbeat_at = $1 WHERE process_id = $2`, [
        now,
        processId,
      ])) > 0,
    list: async () => {
      const rows = await db.read(
        `SELECT * FROM ${schema}.processes ORDER BY started_at, process_id`,
      );
      return rows.map(processOf);
    },
    remove: async ({ processId }) => {
      await db.write(
        `WITH letters AS (DELETE FROM ${schema}.mail WHERE process_id = $1)
         DELETE FROM ${schema}.processes WHERE process_id = $1`,
        [processId],
      );
    },
  };
}
