/** Runs and groups as the suites write them, with everything that a test does not care about filled in. */
import { assert } from 'vitest';
import type {
  CommitGroup,
  CommitResult,
  RunColumns,
  RunKey,
  RunRef,
  RunWrite,
  Store,
  TaskInsert,
} from './store.ts';

export interface StoreFixture {
  /** Another handle on the same data, not open yet: another process, as far as the data can tell. */
  handle(): Store;
  /** Whether what was committed is there after every handle was closed. */
  readonly durable: boolean;
  clean(): Promise<void> | void;
  /** Whether a handle waits for its database: a clock that stands still lets that happen first. */
  isBusy?(): boolean;
}

export const namespaceId = 'namespace-1';

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

export function keyOf(workflowId: string, runId = `${workflowId}-run`): RunKey {
  return { namespaceId, workflowId, runId };
}

export function columnsOf(key: RunKey, columns: Partial<RunColumns> = {}): RunColumns {
  return {
    workflowType: 'Order',
    taskQueue: 'orders',
    status: 'running',
    startTime: 1_000,
    executionTime: 1_000,
    closeTime: 0,
    wakeAt: 0,
    deleteAt: 0,
    historyEvents: 2,
    historyBytes: 20,
    holder: '',
    parentWorkflowId: '',
    parentRunId: '',
    rootWorkflowId: key.workflowId,
    rootRunId: key.runId,
    firstRunId: key.runId,
    ...columns,
  };
}

export type WriteOptions = Partial<Omit<RunWrite, 'columns'>> & { columns?: Partial<RunColumns> };

/** A new run that becomes current where there was none, unless the options say otherwise. */
export function newRun(key: RunKey, options: WriteOptions = {}): RunWrite {
  const { columns, ...rest } = options;
  return {
    key,
    expectedVersion: 0,
    operationToken: `create ${key.runId}`,
    replaces: null,
    state: bytesOf(`state of ${key.runId}`),
    tasks: [],
    outbox: [],
    mail: [],
    ...rest,
    columns: columnsOf(key, columns),
  };
}

export function nextOf(
  key: RunKey,
  ref: RunRef,
  version: number,
  options: WriteOptions = {},
): RunWrite {
  const { columns, ...rest } = options;
  return {
    key,
    ref,
    expectedVersion: version,
    operationToken: `update ${version}`,
    state: bytesOf(`state ${version + 1} of ${key.runId}`),
    tasks: [],
    outbox: [],
    mail: [],
    ...rest,
    columns: columnsOf(key, columns),
  };
}

export function groupOf(...writes: RunWrite[]): CommitGroup {
  return { writes, doneTasks: [], doneOutbox: [], now: 5_000 };
}

export function taskOf(options: Partial<TaskInsert> = {}): TaskInsert {
  return {
    kind: 'workflow',
    taskQueue: 'orders',
    normalTaskQueue: '',
    scheduledEventId: 2,
    stamp: 1,
    type: 'Order',
    createdAt: 1_000,
    ...options,
  };
}

/** The result, which must be a success. */
export function committed(
  result: CommitResult | undefined,
): Extract<CommitResult, { readonly outcome: 'committed' }> {
  assert(result?.outcome === 'committed', `not committed: ${JSON.stringify(result)}`);
  return result;
}

/** Commits one group that must succeed. */
export async function write(store: Store, ...writes: RunWrite[]): Promise<readonly RunRef[]> {
  const [result] = await store.commit([groupOf(...writes)]);
  return committed(result).refs;
}

/** Makes one run and returns its ref. */
export async function start(
  store: Store,
  key: RunKey,
  options: WriteOptions = {},
): Promise<RunRef> {
  const [ref] = await write(store, newRun(key, options));
  assert(ref !== undefined);
  return ref;
}
