import type { PostgresQuestions } from './database.ts';
import { readPages, rowsAtOnce } from '../history-pages.ts';
import { keyOf } from '../sql-rows.ts';
import type { Store } from '../store.ts';

export function postgresHistory(db: PostgresQuestions): Store['history'] {
  const { schema } = db;
  // What the page has no room for is not read either; its first row always is.
  const page = `SELECT first_event_id, next_event_id, checksum, bytes FROM (
      SELECT *, sum(octet_length(bytes)) OVER (ORDER BY first_event_id) AS total, row_number() OVER (ORDER BY first_event_id) AS place
      FROM (
        SELECT * FROM ${schema}.history WHERE ref = $1 AND next_event_id > $2 AND first_event_id >= coalesce(
          (SELECT max(first_event_id) FROM ${schema}.history WHERE ref = $1 AND first_event_id <= $2), 0)
        ORDER BY first_event_id LIMIT ${rowsAtOnce}
      ) rest
    ) counted WHERE total <= $3 OR place = 1 ORDER BY first_event_id`;
  return {
    read: (request) =>
      readPages(
        {
          database: `the ${db.description}`,
          page: (from, room) => db.read(page, [request.ref, from, room]),
          keyOf: async (ref) => {
            const [row] = await db.read(
              `SELECT k.namespace_id, v.workflow_id, v.run_id FROM ${schema}.visibility v
               JOIN ${schema}.namespace_numbers k ON k.namespace = v.namespace WHERE v.ref = $1`,
              [ref],
            );
            return row && keyOf(row);
          },
        },
        request,
      ),
  };
}
