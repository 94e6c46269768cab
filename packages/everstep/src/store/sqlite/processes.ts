import type { SqliteDatabase } from './database.ts';
import type { Store } from '../store.ts';

export function sqliteProcesses(db: SqliteDatabase): Store['processes'] {
  return {
    announce: ({ process }) =>
      db.answer(() => {
        db.statement(
          `INSERT OR REPLACE INTO processes (process_id, pid, host_id, started_at, heartbeat_at, queues)
           VALUES (?, ?, ?, ?, ?, ?)`,
        ).run(
          process.processId,
          process.pid,
          process.hostId,
          process.startedAt,
          process.heartbeatAt,
          JSON.stringify(process.queues),
        );
      }),
    heartbeat: ({ processId, now }) =>
      db.answer(
        () =>
          Number(
            db
              .statement('UPDATE processes SET heartbeat_at = ? WHERE process_id = ?')
              .run(now, processId).changes,
          ) > 0,
      ),
    list: () =>
      db.answer(() =>
        db
          .statement('SELECT * FROM processes ORDER BY started_at, process_id')
          .all()
          .map((row) => ({
            processId: row['process_id'] as string,
            pid: row['pid'] as number,
            hostId: row['host_id'] as string,
            startedAt: row['started_at'] as number,
            heartbeatAt: row['heartbeat_at'] as number,
            queues: JSON.parse(row['queues'] as string) as string[],
          })),
      ),
    remove: ({ processId }) =>
      db.answer(() =>
        db.transaction(() => {
          db.statement('DELETE FROM processes WHERE process_id = ?').run(processId);
          db.statement('DELETE FROM mail WHERE process_id = ?').run(processId);
        }),
      ),
  };
}
