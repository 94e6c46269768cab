/**
 * Lists and counts. A list without a filter, or with one on type, status or parent, walks an index from its newest
 * end; other filters walk the start times. Counts of everything walk the index by status.
 */
import type { PostgresDatabase } from './database.ts';
import type { SqlValue } from './driver.ts';
import { columnsOf } from '../run-columns.ts';
import { conditionOf, type FilterDialect } from '../sql-filter.ts';
import { countedOf, keyOf } from '../sql-rows.ts';
import type { FilterComparison, FilterValue, Store } from '../store.ts';
import { namespaceSql, runColumnsSql } from './runs.ts';

export function postgresVisibility(db: PostgresDatabase): Store['visibility'] {
  const { schema } = db;
  const from = `FROM ${schema}.visibility v JOIN ${schema}.runs r ON r.ref = v.ref`;
  const inNamespace = `v.namespace = ${namespaceSql(schema, 1)}`;
  return {
    list: async ({ namespaceId, filter, limit, after }) => {
      const values: SqlValue[] = [namespaceId, limit];
      let where = inNamespace;
      if (after !== undefined) {
        where += ` AND (v.start_time, v.ref) < (${parameter(values, after.startTime)}, ${parameter(values, after.ref)}::bigint)`;
      }
      if (filter !== undefined) where += ` AND (${conditionOf(filter, dialectOf(values))})`;
      const rows = await db.read(
        `SELECT ${runColumnsSql} ${from} JOIN ${schema}.namespace_numbers k ON k.namespace = v.namespace
         WHERE ${where} ORDER BY v.start_time DESC, v.ref DESC LIMIT $2`,
        values,
      );
      return rows.map((row) => ({
        ref: row['ref'] as number,
        key: keyOf(row),
        columns: columnsOf(row),
      }));
    },
    count: async ({ namespaceId, filter, groupByStatus }) => {
      const values: SqlValue[] = [namespaceId];
      const rows =
        filter === undefined
          ? await db.read(
              `SELECT v.status, count(*) AS count FROM ${schema}.visibility v WHERE ${inNamespace}
               GROUP BY v.status ORDER BY v.status`,
              values,
            )
          : await db.read(
              `SELECT v.status, count(*) AS count ${from}
               WHERE ${inNamespace} AND (${conditionOf(filter, dialectOf(values))})
               GROUP BY v.status ORDER BY v.status`,
              values,
            );
      return countedOf(rows, groupByStatus);
    },
  };
}

function dialectOf(values: SqlValue[]): FilterDialect {
  return {
    true: 'true',
    false: 'false',
    null: 'NULL::boolean',
    compare: (op, sql, value) => compared(op, sql, value, values),
    compareAttribute: (op, name, value) => attributeCompared(op, name, value, values),
    isMissing: (name) => `(v.search_values -> ${parameter(values, name)}) IS NULL`,
  };
}

/** The value as a parameter of its type. */
function parameter(values: SqlValue[], value: FilterValue): string {
  // Text of PostgreSQL has no NUL, so nothing that is stored has one.
  const kept = typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;
  const type =
    typeof value === 'string' ? 'text' : typeof value === 'number' ? 'float8' : 'boolean';
  return `$${values.push(kept)}::${type}`;
}

function compared(
  op: FilterComparison,
  sql: string,
  value: FilterValue,
  values: SqlValue[],
): string {
  if (op !== 'startsWith') return `${sql} ${op} ${parameter(values, value)}`;
  if (typeof value !== 'string') return 'NULL::boolean';
  const prefix = parameter(values, value);
  return `(${sql} >= ${prefix} AND starts_with(${sql}, ${prefix}))`;
}

function attributeCompared(
  op: FilterComparison,
  name: string,
  value: FilterValue,
  values: SqlValue[],
): string {
  const found = `(v.search_values -> ${parameter(values, name)})`;
  const type = typeof value;
  const plain = `(${found} #>> '{}')`;
  const typed =
    type === 'string' ? `${plain} COLLATE "C"` : `${plain}::${type === 'number' ? 'float8' : type}`;
  let text = `CASE jsonb_typeof(${found}) WHEN '${type}' THEN (${compared(op, typed, value, values)})`;
  if (type === 'string' && (op === '=' || op === '!=')) {
    text += ` WHEN 'array' THEN ${op === '=' ? '' : 'NOT '}(${found} ? ${parameter(values, value)})`;
  }
  return `${text} END`;
}
