import type { PostgresDatabase } from './database.ts';
import { namespaceOf } from '../sql-rows.ts';
import type { Store } from '../store.ts';

export function postgresNamespaces(db: PostgresDatabase): Store['namespaces'] {
  const { schema } = db;
  return {
    list: async () => {
      const rows = await db.read(`SELECT * FROM ${schema}.namespaces ORDER BY name`);
      return rows.map(namespaceOf);
    },
    put: async ({ namespace, expectedVersion }) => {
      const { namespaceId, name, config } = namespace;
      const { rowCount } =
        expectedVersion === 0
          ? await db.once(
              `INSERT INTO ${schema}.namespaces (namespace_id, name, version, config) VALUES ($1, $2, 1, $3)
               ON CONFLICT DO NOTHING`,
              [namespaceId, name, config],
            )
          : await db.once(
              `UPDATE ${schema}.namespaces n SET name = $1, version = version + 1, config = $2
               WHERE namespace_id = $3 AND version = $4 AND NOT EXISTS (
                 SELECT 1 FROM ${schema}.namespaces o WHERE o.name = $1 AND o.namespace_id <> $3)`,
              [name, config, namespaceId, expectedVersion],
            );
      return rowCount === 1;
    },
    delete: async ({ namespaceId }) => {
      await db.write(`DELETE FROM ${schema}.namespaces WHERE namespace_id = $1`, [namespaceId]);
    },
  };
}
