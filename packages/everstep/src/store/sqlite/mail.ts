import type { SqliteDatabase } from './database.ts';
import type { Store } from '../store.ts';

export function sqliteMail(db: SqliteDatabase): Store['mail'] {
  const waiting = 'SELECT mail_id, bytes FROM mail WHERE process_id = ? ORDER BY mail_id';
  return {
    send: ({ mail }) =>
      db.answer(() =>
        db.transaction(() => {
          const insert = db.statement('INSERT INTO mail (process_id, bytes) VALUES (?, ?)');
          for (const { processId, bytes } of mail) insert.run(processId, bytes);
        }),
      ),
    take: ({ processId }) =>
      db.answer(() => {
        // Mostly there is none: that is found out without the write lock.
        if (db.statement(waiting).get(processId) === undefined) return [];
        return db.transaction(() => {
          const rows = db.statement(waiting).all(processId);
          db.statement('DELETE FROM mail WHERE process_id = ?').run(processId);
          return rows.map((row) => row['bytes'] as Uint8Array);
        });
      }),
  };
}
