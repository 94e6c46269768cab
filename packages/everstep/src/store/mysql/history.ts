import { readPages, rowsAtOnce } from '../history-pages.ts';
import { keyOf } from '../sql-rows.ts';
import type { RunRef, Store } from '../store.ts';
import type { MysqlQuestions } from './database.ts';
import { literal } from './literal.ts';

export function mysqlHistory(db: MysqlQuestions): Store['history'] {
  const { history } = db.tables;
  // What the page has no room for is not read either; its first row always is. Only sizes are counted through: a
  // table in between that has the bytes would be made on the disk.
  const page = (ref: RunRef, from: number, room: number): string =>
    `SELECT h.first_event_id, h.next_event_id, h.checksum, h.bytes FROM (
      SELECT first_event_id, sum(size) OVER (ORDER BY first_event_id) AS total, row_number() OVER (ORDER BY first_event_id) AS place
      FROM (
        SELECT first_event_id, octet_length(bytes) AS size FROM ${history}
        WHERE ref = ${ref} AND next_event_id > ${from} AND first_event_id >= coalesce(
          (SELECT max(first_event_id) FROM ${history} WHERE ref = ${ref} AND first_event_id <= ${from}${db.sharing}), 0)
        ORDER BY first_event_id LIMIT ${rowsAtOnce}${db.sharing}
      ) rest
    ) counted JOIN ${history} h ON h.ref = ${ref} AND h.first_event_id = counted.first_event_id
    WHERE total <= ${literal(room)} OR place = 1 ORDER BY h.first_event_id${db.sharing}`;
  return {
    read: (request) =>
      readPages(
        {
          database: `the ${db.description}`,
          page: (from, room) => db.read(page(request.ref, from, room)),
          keyOf: async (ref) => {
            const [row] = await db.read(
              `SELECT k.namespace_id, v.workflow_id, v.run_id FROM ${db.tables.visibility} v
               JOIN ${db.tables.namespace_numbers} k ON k.namespace = v.namespace WHERE v.ref = ${ref}`,
            );
            return row && keyOf(row);
          },
        },
        request,
      ),
  };
}
