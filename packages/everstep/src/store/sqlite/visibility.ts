/**
 * Lists and counts. A list without a filter, or with one on type, status, queue or parent, walks an index from its
 * newest end; other filters walk the start times. Counts of everything walk the index by status.
 */
import type { SqliteDatabase } from './database.ts';
import type { SqlValue } from './driver.ts';
import { columnsOf } from '../run-columns.ts';
import { conditionOf, type FilterDialect } from '../sql-filter.ts';
import { countedOf } from '../sql-rows.ts';
import type { FilterComparison, FilterValue, Store } from '../store.ts';
import { keyOf, runColumnsSql } from './runs.ts';

export function sqliteVisibility(db: SqliteDatabase): Store['visibility'] {
  return {
    list: ({ namespaceId, filter, limit, after }) =>
      db.answer(() => {
        const values: SqlValue[] = [db.namespaceNumber(namespaceId)];
        let where = 'v.namespace = ?';
        if (after !== undefined) {
          where += ' AND (v.start_time, v.ref) < (?, ?)';
          values.push(after.startTime, after.ref);
        }
        if (filter !== undefined) where += ` AND (${conditionOf(filter, dialectOf(values))})`;
        const text = `SELECT ${runColumnsSql} FROM visibility v JOIN runs r ON r.ref = v.ref WHERE ${where}
          ORDER BY v.start_time DESC, v.ref DESC LIMIT ?`;
        const statement = filter === undefined ? db.statement(text) : db.once(text);
        return statement.all(...values, limit).map((row) => ({
          ref: row['ref'] as number,
          key: keyOf(db, row),
          columns: columnsOf(row),
        }));
      }),
    count: ({ namespaceId, filter, groupByStatus }) =>
      db.answer(() => {
        const values: SqlValue[] = [db.namespaceNumber(namespaceId)];
        const rows =
          filter === undefined
            ? db
                .statement(
                  `SELECT status, count(*) AS count FROM visibility WHERE namespace = ?
                   GROUP BY status ORDER BY status`,
                )
                .all(...values)
            : db
                .once(
                  `SELECT v.status, count(*) AS count FROM visibility v JOIN runs r ON r.ref = v.ref
                   WHERE v.namespace = ? AND (${conditionOf(filter, dialectOf(values))})
                   GROUP BY v.status ORDER BY v.status`,
                )
                .all(...values);
        return countedOf(rows, groupByStatus);
      }),
  };
}

function dialectOf(values: SqlValue[]): FilterDialect {
  return {
    true: '1',
    false: '0',
    null: 'NULL',
    compare: (op, sql, value) => compared(op, sql, value, values),
    compareAttribute: (op, name, value) => attributeCompared(op, name, value, values),
    isMissing: (name) => {
      values.push(pathOf(name));
      return `json_type(v.search_values, ?) IS NULL`;
    },
  };
}

function compared(
  op: FilterComparison,
  sql: string,
  value: FilterValue,
  values: SqlValue[],
): string {
  if (op === 'startsWith') {
    if (typeof value !== 'string') return 'NULL';
    values.push(value, value, value);
    return `${sql} >= ? AND substr(${sql}, 1, length(?)) = ?`;
  }
  values.push(typeof value === 'boolean' ? Number(value) : value);
  return `${sql} ${op} ?`;
}

function attributeCompared(
  op: FilterComparison,
  name: string,
  value: FilterValue,
  values: SqlValue[],
): string {
  const path = pathOf(name);
  values.push(path);
  const types =
    typeof value === 'string'
      ? `'text'`
      : typeof value === 'number'
        ? `'integer', 'real'`
        : `'true', 'false'`;
  const extract = `(v.search_values ->> ${quoted(path)})`;
  let text = `CASE WHEN json_type(v.search_values, ?) IN (${types}) THEN (${compared(op, extract, value, values)})`;
  if (typeof value === 'string' && (op === '=' || op === '!=')) {
    text += ` WHEN json_type(v.search_values, ?) = 'array' THEN ${op === '=' ? '' : 'NOT '}EXISTS
      (SELECT 1 FROM json_each(v.search_values, ?) WHERE value = ?)`;
    values.push(path, path, value);
  }
  return `${text} END`;
}

function pathOf(name: string): string {
  return `$."${name.replaceAll('"', '')}"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
