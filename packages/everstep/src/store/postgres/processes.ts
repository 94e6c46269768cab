import type { PostgresDatabase } from './database.ts';
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
        [
          process.processId,
          process.pid,
          process.hostId,
          process.startedAt,
          process.heartbeatAt,
          JSON.stringify(process.queues),
        ],
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
      return rows.map((row) => ({
        processId: row['process_id'] as string,
        pid: row['pid'] as number,
        hostId: row['host_id'] as string,
        startedAt: row['started_at'] as number,
        heartbeatAt: row['heartbeat_at'] as number,
        queues: JSON.parse(row['queues'] as string) as string[],
      }));
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
