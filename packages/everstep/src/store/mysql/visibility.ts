/**
 * Lists and counts. A list without a filter, or with one on type, status or parent, walks an index from its newest
 * end; other filters walk the start times. Counts of everything walk the index by status.
 */
import { columnsOf } from '../run-columns.ts';
import { conditionOf, type FilterDialect } from '../sql-filter.ts';
import { countedOf, keyOf } from '../sql-rows.ts';
import type { FilterComparison, FilterValue, Store } from '../store.ts';
import type { MysqlDatabase } from './database.ts';
import { literal, textLiteral } from './literal.ts';
import { runColumnsSql } from './runs.ts';

export function mysqlVisibility(db: MysqlDatabase): Store['visibility'] {
  const { visibility, runs, namespace_numbers } = db.tables;
  const from = `FROM ${visibility} v JOIN ${runs} r ON r.ref = v.ref`;
  const inNamespace = (namespaceId: string): string =>
    `v.namespace = ${db.namespaceSql(namespaceId)}`;
  return {
    list: async ({ namespaceId, filter, limit, after }) => {
      let where = inNamespace(namespaceId);
      if (after !== undefined) {
        const [start, ref] = [literal(after.startTime), literal(after.ref)];
        // Said so that the index by start is walked from there on.
        where += ` AND v.start_time <= ${start} AND (v.start_time < ${start} OR v.ref < ${ref})`;
      }
      if (filter !== undefined) where += ` AND (${conditionOf(filter, dialect)})`;
      const rows = await db.read(
        `SELECT ${runColumnsSql} ${from} JOIN ${namespace_numbers} k ON k.namespace = v.namespace
         WHERE ${where} ORDER BY v.start_time DESC, v.ref DESC LIMIT ${literal(limit)}`,
      );
      return rows.map((row) => ({
        ref: row['ref'] as number,
        key: keyOf(row),
        columns: columnsOf(row),
      }));
    },
    count: async ({ namespaceId, filter, groupByStatus }) => {
      const rows = await db.read(
        filter === undefined
          ? `SELECT v.status, count(*) AS count FROM ${visibility} v WHERE ${inNamespace(namespaceId)}
             GROUP BY v.status ORDER BY v.status`
          : `SELECT v.status, count(*) AS count ${from}
             WHERE ${inNamespace(namespaceId)} AND (${conditionOf(filter, dialect)})
             GROUP BY v.status ORDER BY v.status`,
      );
      return countedOf(rows, groupByStatus);
    },
  };
}

const dialect: FilterDialect = {
  true: 'TRUE',
  false: 'FALSE',
  null: 'NULL',
  compare: compared,
  compareAttribute: attributeCompared,
  isMissing: (name) => `${attribute(name)} IS NULL`,
};

function attribute(name: string): string {
  return `JSON_EXTRACT(v.search_values, ${textLiteral(`$.${JSON.stringify(name)}`)})`;
}

function compared(op: FilterComparison, sql: string, value: FilterValue): string {
  if (op !== 'startsWith') return `${sql} ${op} ${literal(value)}`;
  if (typeof value !== 'string') return 'NULL';
  return `(${sql} >= ${literal(value)} AND left(${sql}, ${Buffer.byteLength(value)}) = ${literal(value)})`;
}

function attributeCompared(op: FilterComparison, name: string, value: FilterValue): string {
  const found = attribute(name);
  const plain = `JSON_UNQUOTE(${found})`;
  const when = (types: readonly string[], then: string): string =>
    `WHEN JSON_TYPE(${found}) IN (${types.map((type) => `'${type}'`).join(', ')}) THEN (${then})`;
  if (typeof value === 'number') {
    const numbers = ['INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'];
    return `CASE ${when(numbers, compared(op, `(${plain} + 0e0)`, value))} END`;
  }
  if (typeof value === 'boolean') {
    return `CASE ${when(['BOOLEAN'], compared(op, `(${plain} = 'true')`, value))} END`;
  }
  const text = when(['STRING'], compared(op, `CAST(${plain} AS BINARY)`, value));
  if (op !== '=' && op !== '!=') return `CASE ${text} END`;
  const has = `JSON_CONTAINS(${found}, ${textLiteral(JSON.stringify(value))})`;
  return `CASE ${text} ${when(['ARRAY'], op === '=' ? has : `NOT ${has}`)} END`;
}
