import type { SqliteDatabase } from './database.ts';
import { namespaceOf } from '../sql-rows.ts';
import type { Store } from '../store.ts';

export function sqliteNamespaces(db: SqliteDatabase): Store['namespaces'] {
  return {
    list: () =>
      db.answer(() =>
        db.statement('SELECT * FROM namespaces ORDER BY name').all().map(namespaceOf),
      ),
    put: ({ namespace, expectedVersion }) =>
      db.answer(() => {
        const { namespaceId, name, config } = namespace;
        const result =
          expectedVersion === 0
            ? db
                .statement(
                  `INSERT INTO namespaces (namespace_id, name, version, config) VALUES (?, ?, 1, ?)
                   ON CONFLICT DO NOTHING`,
                )
                .run(namespaceId, name, config)
            : db
                .statement(
                  `UPDATE OR IGNORE namespaces SET name = ?, version = version + 1, config = ?
                   WHERE namespace_id = ? AND version = ?`,
                )
                .run(name, config, namespaceId, expectedVersion);
        return Number(result.changes) === 1;
      }),
    delete: ({ namespaceId }) =>
      db.answer(() => {
        db.statement('DELETE FROM namespaces WHERE namespace_id = ?').run(namespaceId);
      }),
  };
}
