/** Rows of the SQL stores' tables as the store interface has them. The columns of a run: run-columns.ts. */
import { crc32 } from 'node:zlib';
import { columnsOf, describeRun } from './run-columns.ts';
import {
  StoreError,
  type NamespaceRow,
  type OutboxRow,
  type ProcessRow,
  type RunHead,
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

/** Of a row with the namespace's id and not its number. */
export function keyOf(row: Row): RunKey {
  return {
    namespaceId: row['namespace_id'] as string,
    workflowId: row['workflow_id'] as string,
    runId: row['run_id'] as string,
  };
}

/** In the order of the refs; those without a row are left out. */
export function headsOf(rows: readonly Row[], refs: readonly RunRef[]): readonly RunHead[] {
  const versions = new Map(rows.map((row) => [row['ref'], row['version'] as number]));
  const heads: RunHead[] = [];
  for (const ref of refs) {
    const version = versions.get(ref);
    if (version !== undefined) heads.push({ ref, version });
  }
  return heads;
}

export function dueOf(row: Row): { readonly ref: RunRef; readonly wakeAt: number } {
  return { ref: row['ref'] as RunRef, wakeAt: row['wake_at'] as number };
}

export function namespaceOf(row: Row): NamespaceRow {
  return {
    namespaceId: row['namespace_id'] as string,
    name: row['name'] as string,
    config: row['config'] as Uint8Array,
    version: row['version'] as number,
  };
}

export function outboxRowOf(row: Row): OutboxRow {
  return {
    outboxId: row['outbox_id'] as number,
    ref: row['ref'] as number,
    key: keyOf(row),
    createdAt: row['created_at'] as number,
    bytes: row['bytes'] as Uint8Array,
  };
}

/** Of events that do not match their checksum. `run`: unknown when its other row is gone too. */
export function damagedEvents(
  { ref, first, next }: { readonly ref: RunRef; readonly first: number; readonly next: number },
  run: RunKey | undefined,
  database: string,
): StoreError {
  return new StoreError(
    'STORE_CORRUPT',
    `Events ${first} to ${next - 1} of ${run === undefined ? `run number ${ref}` : describeRun(run)} in ${database} do not match their checksum: the disk or another program has changed them. Other runs are not touched by this. Restore a backup, or delete this run.`,
    { cause: { ref, firstEventId: first }, damagedRun: ref },
  );
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

/** How far a server's clock is ahead. The server looked at its clock at some time between: what lies between them counts as none. */
export function aheadMs(clockMs: number, askedAt: number, answeredAt: number): number {
  if (clockMs > answeredAt) return Math.round(clockMs - answeredAt);
  return clockMs < askedAt ? Math.round(clockMs - askedAt) : 0;
}
