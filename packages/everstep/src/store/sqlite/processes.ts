import type { SqliteDatabase } from './database.ts';
import { processOf, processValues } from '../sql-rows.ts';
import type { Store } from '../store.ts';

export function sqliteProcesses(db: SqliteDatabase): Store['processes'] {
  return {
    announce: ({ process }) =>
      db.answer(() => {
        db.statement(
          `INSERT OR REPLACE INTO processes (process_id, pid, host_id, started_at, heartbeat_at, queues)
           VALUES (?, ?, ?, ?, ?, ?)`,
        ).run(...processValues(process));
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
          .map(processOf),
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
