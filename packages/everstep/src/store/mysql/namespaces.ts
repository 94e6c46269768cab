import { namespaceOf } from '../sql-rows.ts';
import type { Store } from '../store.ts';
import type { MysqlDatabase } from './database.ts';
import { duplicate, errorNumberOf } from './errors.ts';
import { listOf, literal } from './literal.ts';

export function mysqlNamespaces(db: MysqlDatabase): Store['namespaces'] {
  const { namespaces } = db.tables;
  return {
    list: async () => {
      const rows = await db.read(`SELECT * FROM ${namespaces} ORDER BY name`);
      return rows.map(namespaceOf);
    },
    put: async ({ namespace, expectedVersion }) => {
      const { namespaceId, name, config } = namespace;
      try {
        const { affectedRows } = await db.once(
          expectedVersion === 0
            ? `INSERT INTO ${namespaces} (namespace_id, name, version, config) VALUES ${listOf([namespaceId, name, 1, config])}`
            : `UPDATE ${namespaces} SET name = ${literal(name)}, version = version + 1, config = ${literal(config)}
               WHERE namespace_id = ${literal(namespaceId)} AND version = ${literal(expectedVersion)}`,
        );
        // Where the first run has it made, others wait for the end of that run's transaction.
        if (expectedVersion === 0) await db.namespaceNumber(namespaceId);
        return affectedRows === 1;
      } catch (error) {
        if (errorNumberOf((error as Error).cause) === duplicate) return false;
        throw error;
      }
    },
    delete: async ({ namespaceId }) => {
      await db.write(`DELETE FROM ${namespaces} WHERE namespace_id = ${literal(namespaceId)}`);
    },
  };
}
