/** The columns of a run as the SQL stores keep them, to and fro. */
import type { RunColumns, RunKey, RunStatusColumn, SearchValue } from './store.ts';

export function columnsOf(row: Readonly<Record<string, unknown>>): RunColumns {
  const memo = row['memo'] as Uint8Array | null;
  const searchAttributes = row['search_attributes'] as Uint8Array | null;
  const searchValues = row['search_values'] as string | null;
  return {
    workflowType: row['workflow_type'] as string,
    taskQueue: row['task_queue'] as string,
    status: row['status'] as RunStatusColumn,
    startTime: row['start_time'] as number,
    executionTime: row['execution_time'] as number,
    closeTime: row['close_time'] as number,
    wakeAt: row['wake_at'] as number,
    deleteAt: row['delete_at'] as number,
    historyEvents: row['history_events'] as number,
    historyBytes: row['history_bytes'] as number,
    holder: row['holder'] as string,
    parentWorkflowId: row['parent_workflow_id'] as string,
    parentRunId: row['parent_run_id'] as string,
    rootWorkflowId: (row['root_workflow_id'] ?? row['workflow_id']) as string,
    rootRunId: (row['root_run_id'] ?? row['run_id']) as string,
    firstRunId: (row['first_run_id'] ?? row['run_id']) as string,
    ...(memo === null ? {} : { memo }),
    ...(searchAttributes === null ? {} : { searchAttributes }),
    ...(searchValues === null
      ? {}
      : { searchValues: JSON.parse(searchValues) as Record<string, SearchValue> }),
  };
}

export function ownOrNull(value: string, own: string): string | null {
  return value === own ? null : value;
}

export function searchValuesJson(columns: RunColumns): string | null {
  return columns.searchValues === undefined ? null : JSON.stringify(columns.searchValues);
}

/**
 * 52 bits over everything that the visibility row holds. A commit that finds the same fingerprint in the `runs` row
 * leaves the visibility row, and its six indexes, alone.
 */
export function fingerprintOf(columns: RunColumns): number {
  low = 0x811c9dc5;
  high = 0x9747b28c;
  text(columns.status);
  number(columns.startTime);
  number(columns.executionTime);
  number(columns.closeTime);
  text(columns.workflowType);
  text(columns.taskQueue);
  text(columns.parentWorkflowId);
  text(columns.parentRunId);
  text(columns.rootWorkflowId);
  text(columns.rootRunId);
  text(columns.firstRunId);
  if (columns.memo !== undefined) bytes(columns.memo);
  mix(1);
  if (columns.searchAttributes !== undefined) bytes(columns.searchAttributes);
  mix(2);
  if (columns.searchValues !== undefined) text(JSON.stringify(columns.searchValues));
  return (high >>> 12) * 0x1_0000_0000 + (low >>> 0);
}

let low = 0;
let high = 0;

function mix(unit: number): void {
  low = Math.imul(low ^ unit, 0x01000193);
  high = Math.imul(high ^ unit, 0x5bd1e995);
  high ^= high >>> 13;
}

function text(value: string): void {
  mix(value.length);
  for (let i = 0; i < value.length; i += 1) mix(value.charCodeAt(i));
}

function number(value: number): void {
  mix(value | 0);
  mix((value / 0x1_0000_0000) | 0);
  mix(((value % 1) * 1e6) | 0);
}

function bytes(value: Uint8Array): void {
  mix(value.length);
  for (const byte of value) mix(byte);
}

export function describeRun(key: RunKey): string {
  return `run ${key.runId} of workflow ${key.workflowId} (namespace ${key.namespaceId})`;
}
