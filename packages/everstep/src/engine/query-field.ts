/**
 * What a query's name stands for, and what may be asked of it by its type (VS-1). A run without the attribute satisfies
 * no condition and no negation of one, but those of a KeywordList and a Text: lacking the value is what they ask.
 */
import proto from '@temporalio/proto';
import { msOfRfc3339 } from '../core/rfc3339.ts';
import { attributeTypeOf } from '../core/search-attribute-type.ts';
import type { AttributeType, RegisteredAttributes } from '../core/search-attribute-type.ts';
import { wordsOf } from '../core/search-attribute-value.ts';
import { msOfGoDuration } from './go-duration.ts';
import type { Filter, FilterField, RunStatusColumn, VisibilityColumn } from '../store/store.ts';

const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1;

export interface QueryField {
  /** As the query has it. */
  readonly name: string;
  readonly type: AttributeType;
  readonly at: FilterField;
}

export type QueryValue = string | number | boolean;
export type QueryOperator = '=' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | 'between' | 'starts_with';

export const statusNames: Readonly<Record<RunStatusColumn, string>> = {
  created: 'Running',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  canceled: 'Canceled',
  terminated: 'Terminated',
  continuedAsNew: 'ContinuedAsNew',
  timedOut: 'TimedOut',
  paused: 'Paused',
};

const columns: ReadonlyMap<string, VisibilityColumn> = new Map([
  ['WorkflowId', 'workflowId'],
  ['RunId', 'runId'],
  ['WorkflowType', 'workflowType'],
  ['ExecutionStatus', 'status'],
  ['StartTime', 'startTime'],
  ['ExecutionTime', 'executionTime'],
  ['CloseTime', 'closeTime'],
  ['ExecutionDuration', 'executionDuration'],
  ['TaskQueue', 'taskQueue'],
  ['HistoryLength', 'historyEvents'],
  ['HistorySizeBytes', 'historyBytes'],
  ['ParentWorkflowId', 'parentWorkflowId'],
  ['ParentRunId', 'parentRunId'],
  ['RootWorkflowId', 'rootWorkflowId'],
  ['RootRunId', 'rootRunId'],
]);

const ordered: ReadonlySet<QueryOperator> = new Set([
  '=',
  '!=',
  '<',
  '>',
  '<=',
  '>=',
  'in',
  'between',
]);
const operators: Readonly<Record<AttributeType, ReadonlySet<QueryOperator>>> = {
  Int: ordered,
  Double: ordered,
  Datetime: ordered,
  Bool: new Set(['=', '!=', '<', '>', '<=', '>=', 'in']),
  Keyword: new Set([...ordered, 'starts_with']),
  KeywordList: new Set(['=', '!=', 'in']),
  Text: new Set(['=', '!=']),
};

/** Undefined: nobody knows the name. The system's may be written without their prefix, as in ScheduledById. */
export function fieldOf(name: string, registered: RegisteredAttributes): QueryField | undefined {
  const type = attributeTypeOf(name, registered);
  if (type) return { name, type, at: placeOf(name) };
  if (name === 'ScheduleId' || name === 'TemporalScheduleId') {
    return { name, type: 'Keyword', at: { system: 'workflowId' } };
  }
  const other = name.startsWith('Temporal') ? name.slice('Temporal'.length) : `Temporal${name}`;
  const otherType = attributeTypeOf(other, {});
  return otherType && { name, type: otherType, at: placeOf(other) };
}

function placeOf(name: string): FilterField {
  const column = columns.get(name);
  return column ? { system: column } : { custom: name };
}

export function operatorsOf({ type }: QueryField): ReadonlySet<QueryOperator> {
  return operators[type];
}

/** `=` and `!=` with the values that one stands for. */
export function equals(field: QueryField, op: '=' | '!=', values: readonly QueryValue[]): Filter {
  const [value] = values;
  if (ofLists(field) || values.length !== 1 || value === undefined) {
    const filter = isIn(field, values);
    return op === '=' ? filter : { op: 'not', term: filter };
  }
  return { op, field: field.at, value };
}

export function isIn(field: QueryField, values: readonly QueryValue[]): Filter {
  const filter: Filter = { op: 'in', field: field.at, values };
  // Never unknown, so that its negation holds for runs that lack the attribute.
  if (!ofLists(field)) return filter;
  const has: Filter = { op: 'not', term: { op: 'isNull', field: field.at } };
  return { op: 'and', terms: [has, filter] };
}

function ofLists({ type }: QueryField): boolean {
  return type === 'KeywordList' || type === 'Text';
}

/** The values that one of a query stands for, or what is wrong with it. */
export function valueOf(
  field: QueryField,
  raw: QueryValue,
): { readonly values: readonly QueryValue[] } | { readonly problem: string } {
  if ('system' in field.at && field.at.system === 'status') return statusesOf(raw);
  if ('system' in field.at && field.at.system === 'executionDuration') return durationOf(raw);
  switch (field.type) {
    case 'Int':
    case 'Double':
      return typeof raw === 'number' ? { values: [raw] } : wrongType(field, raw);
    case 'Bool':
      return typeof raw === 'boolean' ? { values: [raw] } : wrongType(field, raw);
    case 'Datetime':
      return timeOf(field, raw);
    case 'Keyword':
    case 'KeywordList':
      return typeof raw === 'string' ? { values: [raw] } : wrongType(field, raw);
    case 'Text':
      if (typeof raw !== 'string') return wrongType(field, raw);
      return raw.trim() === ''
        ? { problem: `no words to search for in '${raw}'` }
        : { values: wordsOf(raw) };
  }
}

function wrongType({ name, type }: QueryField, raw: QueryValue): { readonly problem: string } {
  const shown = typeof raw === 'string' ? `'${raw}'` : String(raw);
  return { problem: `invalid value type for search attribute ${name} of type ${type}: ${shown}` };
}

/** RFC 3339, or whole nanoseconds since the epoch. */
function timeOf(field: QueryField, raw: QueryValue): ReturnType<typeof valueOf> {
  if (typeof raw === 'number' && Number.isInteger(raw)) return { values: [raw / 1e6] };
  if (typeof raw !== 'string') return wrongType(field, raw);
  const ms = msOfRfc3339(raw);
  return ms === undefined
    ? { problem: `unable to parse datetime '${raw}'; expected such as '2026-11-23T08:00:00Z'` }
    : { values: [ms] };
}

/** Whole nanoseconds, or text such as '1h30m', '2d', '01:30:00'. */
function durationOf(raw: QueryValue): ReturnType<typeof valueOf> {
  if (typeof raw === 'number' && Number.isInteger(raw)) return { values: [raw / 1e6] };
  const ms = typeof raw === 'string' ? msOfGoDuration(raw) : undefined;
  return ms === undefined
    ? { problem: `invalid duration value for search attribute ExecutionDuration: ${String(raw)}` }
    : { values: [ms] };
}

/** By name, or by its number or name on the wire. */
function statusesOf(raw: QueryValue): ReturnType<typeof valueOf> {
  const prefix = 'WORKFLOW_EXECUTION_STATUS_';
  const wire: string | undefined =
    typeof raw === 'number' ? WorkflowExecutionStatus[raw] : String(raw);
  const name = wire?.startsWith(prefix)
    ? wire.slice(prefix.length).toLowerCase().replaceAll('_', '')
    : undefined;
  const values = Object.entries(statusNames)
    .filter(([, one]) => one === wire || one.toLowerCase() === name)
    .map(([status]) => status);
  if (values.length > 0 || (typeof raw === 'number' && wire !== undefined)) return { values };
  return { problem: `invalid ExecutionStatus value '${String(raw)}'` };
}
