/** Rows of the SQL stores' tables as the store interface has them. The columns of a run: run-columns.ts. */
import { crc32 } from 'node:zlib';
import { columnsOf, describeRun } from './run-columns.ts';
import {
  StoreError,
  type ProcessRow,
  type RunKey,
  type RunRef,
  type RunStatusColumn,
  type StoredRun,
  type TaskKind,
  type TaskRow,
} from './store.ts';

type Row = Readonly<Record<string, unknown>>;

export function refsOf(rows: readonly Row[]): readonly RunRef[] {
  return rows.map((row) => row['ref'] as RunRef);
}

/** @throws StoreError STORE_CORRUPT, with the damaged run, when the state does not match its checksum. */
export function storedRunOf(row: Row, key: RunKey, database: string): StoredRun {
  const ref = row['ref'] as RunRef;
  const state = row['state'] as Uint8Array;
  const [expected, found] = [row['checksum'], crc32(state)];
  if (found !== expected) {
    throw new StoreError(
      'STORE_CORRUPT',
      `The state of ${describeRun(key)} in ${database} does not match its checksum: the disk or another program has changed it. Other runs are not touched by this. Restore a backup, or delete this run.`,
      { cause: { ref, expected, found }, damagedRun: ref },
    );
  }
  return {
    ref,
    key,
    version: row['version'] as number,
    operationToken: row['operation_token'] as string,
    // SQLite has no booleans.
    isCurrent: row['is_current'] === true || row['is_current'] === 1,
    columns: columnsOf(row),
    state,
  };
}

export function taskOf(row: Row, key: RunKey): TaskRow {
  return {
    taskId: row['task_id'] as number,
    ref: row['ref'] as number,
    key,
    kind: row['kind'] as TaskKind,
    taskQueue: row['task_queue'] as string,
    normalTaskQueue: row['normal_task_queue'] as string,
    scheduledEventId: row['scheduled_event_id'] as number,
    stamp: row['stamp'] as number,
    type: row['type'] as string,
    createdAt: row['created_at'] as number,
  };
}

export function backlogOf(row: Row | undefined): {
  readonly count: number;
  readonly oldestCreatedAt: number;
} {
  return {
    count: row?.['count'] as number,
    oldestCreatedAt: (row?.['oldest'] as number | null) ?? 0,
  };
}

export function processOf(row: Row): ProcessRow {
  return {
    processId: row['process_id'] as string,
    pid: row['pid'] as number,
    hostId: row['host_id'] as string,
    startedAt: row['started_at'] as number,
    heartbeatAt: row['heartbeat_at'] as number,
    queues: JSON.parse(row['queues'] as string) as string[],
  };
}

/** In the order of the table's columns. */
export function processValues(process: ProcessRow): (string | number)[] {
  const { processId, pid, hostId, startedAt, heartbeatAt, queues } = process;
  return [processId, pid, hostId, startedAt, heartbeatAt, JSON.stringify(queues)];
}

interface Counted {
  readonly count: number;
  readonly groups: readonly { readonly status: RunStatusColumn; readonly count: number }[];
}

/** Of rows that count the runs of each status. */
export function countedOf(rows: readonly Row[], groupByStatus: boolean | undefined): Counted {
  const groups = rows.map((row) => ({
    status: row['status'] as RunStatusColumn,
    count: row['count'] as number,
  }));
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  return { count, groups: groupByStatus ? groups : [] };
}
