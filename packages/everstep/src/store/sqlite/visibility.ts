/**
 * Lists and counts. A list without a filter, or with one on type, status, queue or parent, walks an index from its
 * newest end; other filters walk the start times. Counts of everything walk the index by status.
 */
import type { SqliteDatabase } from './database.ts';
import type { SqlValue } from './driver.ts';
import { columnsOf } from '../run-columns.ts';
import { keyOf, runColumnsSql } from './runs.ts';
import type { Filter, FilterField, RunStatusColumn, Store, VisibilityColumn } from '../store.ts';

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
        if (filter !== undefined) where += ` AND (${conditionOf(filter, values)})`;
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
                   WHERE v.namespace = ? AND (${conditionOf(filter, values)})
                   GROUP BY v.status ORDER BY v.status`,
                )
                .all(...values);
        const groups = rows.map((row) => ({
          status: row['status'] as RunStatusColumn,
          count: row['count'] as number,
        }));
        const count = groups.reduce((sum, group) => sum + group.count, 0);
        return { count, groups: groupByStatus ? groups : [] };
      }),
  };
}

/** SQL that is true, false or NULL, as Filter says; NULL and false both leave the run out. */
function conditionOf(filter: Filter, values: SqlValue[]): string {
  switch (filter.op) {
    case 'and':
    case 'or': {
      if (filter.terms.length === 0) return filter.op === 'and' ? '1' : '0';
      const terms = filter.terms.map((term) => `(${conditionOf(term, values)})`);
      return terms.join(filter.op === 'and' ? ' AND ' : ' OR ');
    }
    case 'not':
      return `NOT (${conditionOf(filter.term, values)})`;
    case 'isNull': {
      const { field } = filter;
      if ('custom' in field) {
        values.push(pathOf(field.custom));
        return `json_type(v.search_values, ?) IS NULL`;
      }
      return `${columns[field.system].sql} IS NULL`;
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

type Comparison = '=' | '!=' | '<' | '>' | '<=' | '>=' | 'startsWith';

function comparison(
  op: Comparison,
  field: FilterField,
  value: string | number | boolean,
  values: SqlValue[],
): string {
  if ('custom' in field) return customComparison(op, field.custom, value, values);
  const { sql, type } = columns[field.system];
  // Values of another type compare with nothing.
  if (type !== typeof value) return 'NULL';
  return scalar(op, sql, value, values);
}

function scalar(
  op: Comparison,
  sql: string,
  value: string | number | boolean,
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

function customComparison(
  op: Comparison,
  name: string,
  value: string | number | boolean,
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
  const plain: SqlValue[] = [];
  const extract = `(v.search_values ->> ${quoted(path)})`;
  let text = `CASE WHEN json_type(v.search_values, ?) IN (${types}) THEN (${scalar(op, extract, value, plain)})`;
  values.push(...plain);
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
    sql: 'CASE WHEN v.close_time > 0 THEN v.close_time - v.execution_time END',
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
