/**
 * Lists and counts. A list without a filter, or with one on type, status or parent, walks an index from its newest
 * end; other filters walk the start times. Counts of everything walk the index by status.
 */
import type { PostgresDatabase } from './database.ts';
import type { SqlValue } from './driver.ts';
import { columnsOf } from '../run-columns.ts';
import { keyOf, namespaceSql, runColumnsSql } from './runs.ts';
import type { Filter, FilterField, RunStatusColumn, Store, VisibilityColumn } from '../store.ts';

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
      if (filter !== undefined) where += ` AND (${conditionOf(filter, values)})`;
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
               WHERE ${inNamespace} AND (${conditionOf(filter, values)})
               GROUP BY v.status ORDER BY v.status`,
              values,
            );
      const groups = rows.map((row) => ({
        status: row['status'] as RunStatusColumn,
        count: row['count'] as number,
      }));
      const count = groups.reduce((sum, group) => sum + group.count, 0);
      return { count, groups: groupByStatus ? groups : [] };
    },
  };
}

type Scalar = string | number | boolean;
type Comparison = '=' | '!=' | '<' | '>' | '<=' | '>=' | 'startsWith';

/** The value as a parameter of its type. */
function parameter(values: SqlValue[], value: Scalar): string {
  // Text of PostgreSQL has no NUL, so nothing that is stored has one.
  const kept = typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value;
  const type =
    typeof value === 'string' ? 'text' : typeof value === 'number' ? 'float8' : 'boolean';
  return `$${values.push(kept)}::${type}`;
}

/** SQL that is true, false or NULL, as Filter says; NULL and false both leave the run out. */
function conditionOf(filter: Filter, values: SqlValue[]): string {
  switch (filter.op) {
    case 'and':
    case 'or': {
      if (filter.terms.length === 0) return filter.op === 'and' ? 'true' : 'false';
      const terms = filter.terms.map((term) => `(${conditionOf(term, values)})`);
      return terms.join(filter.op === 'and' ? ' AND ' : ' OR ');
    }
    case 'not':
      return `NOT (${conditionOf(filter.term, values)})`;
    case 'isNull': {
      const { field } = filter;
      return 'custom' in field
        ? `(v.search_values -> ${parameter(values, field.custom)}) IS NULL`
        : `${columns[field.system].sql} IS NULL`;
    }
    case 'in':
      return conditionOf(
        {
          op: 'or',
          terms: filter.values.map((value) => ({ op: '=', field: filter.field, value })),
        },
        values,
      );
    case '=':
    case '!=':
    case '<':
    case '>':
    case '<=':
    case '>=':
    case 'startsWith':
      return comparison(filter.op, filter.field, filter.value, values);
  }
}

function comparison(op: Comparison, field: FilterField, value: Scalar, values: SqlValue[]): string {
  if ('custom' in field) return customComparison(op, field.custom, value, values);
  const { sql, type } = columns[field.system];
  // Values of another type compare with nothing.
  if (type !== typeof value) return 'NULL::boolean';
  return scalar(op, sql, value, values);
}

function scalar(op: Comparison, sql: string, value: Scalar, values: SqlValue[]): string {
  if (op !== 'startsWith') return `${sql} ${op === '!=' ? '<>' : op} ${parameter(values, value)}`;
  if (typeof value !== 'string') return 'NULL::boolean';
  const prefix = parameter(values, value);
  return `(${sql} >= ${prefix} AND starts_with(${sql}, ${prefix}))`;
}

function customComparison(op: Comparison, name: string, value: Scalar, values: SqlValue[]): string {
  const found = `(v.search_values -> ${parameter(values, name)})`;
  const type = typeof value;
  const plain = `(${found} #>> '{}')`;
  const typed =
    type === 'string' ? `${plain} COLLATE "C"` : `${plain}::${type === 'number' ? 'float8' : type}`;
  let text = `CASE jsonb_typeof(${found}) WHEN '${type}' THEN (${scalar(op, typed, value, values)})`;
  if (type === 'string' && (op === '=' || op === '!=')) {
    text += ` WHEN 'array' THEN ${op === '=' ? '' : 'NOT '}(${found} ? ${parameter(values, value)})`;
  }
  return `${text} END`;
}

const columns: Readonly<
  Record<VisibilityColumn, { readonly sql: string; readonly type: 'string' | 'number' }>
> = {
  workflowId: { sql: 'v.workflow_id', type: 'string' },
  runId: { sql: 'v.run_id', type: 'string' },
  workflowType: { sql: 'v.workflow_type', type: 'string' },
  status: { sql: 'v.status', type: 'string' },
  startTime: { sql: 'v.start_time', type: 'number' },
  executionTime: { sql: 'v.execution_time', type: 'number' },
  closeTime: { sql: 'nullif(v.close_time, 0)', type: 'number' },
  executionDuration: {
    sql: '(CASE WHEN v.close_time > 0 THEN v.close_time - v.execution_time END)',
    type: 'number',
  },
  taskQueue: { sql: 'v.task_queue', type: 'string' },
  historyEvents: { sql: 'r.history_events', type: 'number' },
  historyBytes: { sql: 'r.history_bytes', type: 'number' },
  parentWorkflowId: { sql: `nullif(v.parent_workflow_id, '')`, type: 'string' },
  parentRunId: { sql: `nullif(v.parent_run_id, '')`, type: 'string' },
  rootWorkflowId: { sql: 'coalesce(v.root_workflow_id, v.workflow_id)', type: 'string' },
  rootRunId: { sql: 'coalesce(v.root_run_id, v.run_id)', type: 'string' },
};
