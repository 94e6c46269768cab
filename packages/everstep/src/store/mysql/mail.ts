import type { Store } from '../store.ts';
import type { MysqlDatabase } from './database.ts';
import type { SqlRow } from './driver.ts';
import { listOf, literal } from './literal.ts';

export function mysqlMail(db: MysqlDatabase): Store['mail'] {
  const { mail: table } = db.tables;
  return {
    send: async ({ mail }) => {
      if (mail.length === 0) return;
      const first = await db.numbers(mail.length);
      const rows = mail.map(({ processId, bytes }, index) =>
        listOf([first + index, processId, bytes]),
      );
      await db.once(`INSERT INTO ${table} (mail_id, process_id, bytes) VALUES ${rows.join(', ')}`);
    },
    take: async ({ processId }) => {
      const process = `process_id = ${literal(processId)}`;
      // Most looks find nothing: they do not write.
      const there = await db.read(`SELECT 1 FROM ${table} WHERE ${process} LIMIT 1`);
      if (there.length === 0) return [];
      const [rows] = await db.together([
        `SELECT bytes FROM ${table} WHERE ${process} ORDER BY mail_id FOR UPDATE`,
        `DELETE FROM ${table} WHERE ${process}`,
      ]);
      return (rows as readonly SqlRow[]).map((row) => row['bytes'] as Uint8Array);
    },
  };
}
