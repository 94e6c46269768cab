import type { PostgresDatabase } from './database.ts';
import type { Store } from '../store.ts';

export function postgresMail(db: PostgresDatabase): Store['mail'] {
  const { schema } = db;
  return {
    send: async ({ mail }) => {
      for (const { processId, bytes } of mail) {
        await db.once(`INSERT INTO ${schema}.mail (process_id, bytes) VALUES ($1, $2)`, [
          processId,
          bytes,
        ]);
      }
    },
    take: async ({ processId }) => {
      const { rows } = await db.once(
        `WITH taken AS (DELETE FROM ${schema}.mail WHERE process_id = $1 RETURNING mail_id, bytes)
         SELECT bytes FROM taken ORDER BY mail_id`,
        [processId],
      );
      return rows.map((row) => row['bytes'] as Uint8Array);
    },
  };
}
