import { processOf, processValues } from '../sql-rows.ts';
import type { Store } from '../store.ts';
import type { MysqlDatabase } from './database.ts';
import { listOf, literal } from './literal.ts';

export function mysqlProcesses(db: MysqlDatabase): Store['processes'] {
  const { processes, mail } = db.tables;
  return {
    announce: async ({ process }) => {
      const columns = ['pid', 'host_id', 'started_at', 'heartbeat_at', 'queues'];
      await db.write(
        `INSERT INTO ${processes} (process_id, ${columns.join(', ')}) VALUES ${listOf(processValues(process))}
         ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`,
      );
    },
    heartbeat: async ({ processId, now }) =>
      (await db.write(
        `UPDATE ${processes} SET heartbeat_at = ${literal(now)}, beats = beats + 1 WHERE process_id = ${literal(processId)}`,
      )) > 0,
    list: async () => {
      const rows = await db.read(`SELECT * FROM ${processes} ORDER BY started_at, process_id`);
      return rows.map(processOf);
    },
    remove: async ({ processId }) => {
      const process = `process_id = ${literal(processId)}`;
      await db.together([
        `DELETE FROM ${processes} WHERE ${process}`,
        `DELETE FROM ${mail} WHERE ${process}`,
      ]);
    },
  };
}
