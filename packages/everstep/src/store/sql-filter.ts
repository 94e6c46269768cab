/**
 * The filters of lists and counts as SQL, over `visibility v` and `runs r`. What databases say each in their own words
 * is the dialect's.
 */
import type {
  Filter,
  FilterComparison,
  FilterField,
  FilterValue,
  VisibilityColumn,
} from './store.ts';

/** Made anew for each statement: it keeps the values of the statement's parameters. */
export interface FilterDialect {
  readonly true: string;
  readonly false: string;
  /** What a value of another type compares to. */
  readonly null: string;
  /** Compares an expression with a value of its type. */
  compare(op: FilterComparison, sql: string, value: FilterValue): string;
  /** Compares a search attribute, which may be of another type, a list, or not there. */
  compareAttribute(op: FilterComparison, name: string, value: FilterValue): string;
  /** Whether a run lacks that search attribute. */
  isMissing(name: string): string;
}

/** SQL that is true, false or NULL, as Filter says; NULL and false both leave the run out. */
export function conditionOf(filter: Filter, dialect: FilterDialect): string {
  switch (filter.op) {
    case 'and':
    case 'or': {
      if (filter.terms.length === 0) return filter.op === 'and' ? dialect.true : dialect.false;
      const terms = filter.terms.map((term) => `(${conditionOf(term, dialect)})`);
      return terms.join(filter.op === 'and' ? ' AND ' : ' OR ');
    }
    case 'not':
      return `NOT (${conditionOf(filter.term, dialect)})`;
    case 'isNull': {
      const { field } = filter;
      return 'custom' in field
        ? dialect.isMissing(field.custom)
        : `${columns[field.system].sql} IS NULL`;
    }
    case 'in': {
      const { field, values } = filter;
      const terms = values.map((value) => ({ op: '=', field, value }) as const);
      return conditionOf({ op: 'or', terms }, dialect);
    }
    case '=':
    case '!=':
    case '<':
    case '>':
    case '<=':
    case '>=':
    case 'startsWith':
      return comparison(filter.op, filter.field, filter.value, dialect);
  }
}

function comparison(
  op: FilterComparison,
  field: FilterField,
  value: FilterValue,
  dialect: FilterDialect,
): string {
  if ('custom' in field) return dialect.compareAttribute(op, field.custom, value);
  const { sql, type } = columns[field.system];
  return type === typeof value ? dialect.compare(op, sql, value) : dialect.null;
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
