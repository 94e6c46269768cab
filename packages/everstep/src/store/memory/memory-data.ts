/**
 * What a memory store holds: rows by number, and the few indexes that are asked for. Several stores may share one,
 * as processes share a database. A waiting run is one row, its bytes, and three index entries.
 */
import type { PackedBytes } from './packed-bytes.ts';
import { TimeHeap } from './time-heap.ts';
import type {
  NamespaceRow,
  ProcessRow,
  RunColumns,
  RunKey,
  RunRef,
  RunStatusColumn,
  TaskRow,
} from '../store.ts';

export interface MemoryRun {
  readonly ref: RunRef;
  readonly key: RunKey;
  version: number;
  operationToken: string;
  isCurrent: boolean;
  columns: RunColumns;
  state: PackedBytes;
  /** The batches in order; a lone one stands without an array around it. */
  history: MemoryHistoryBatch | MemoryHistoryBatch[] | undefined;
  /** Only while there are any. */
  taskIds: Set<number> | undefined;
  outboxIds: Set<number> | undefined;
}

export interface MemoryHistoryBatch {
  readonly firstEventId: number;
  readonly nextEventId: number;
  readonly packed: PackedBytes;
}

export interface MemoryTask {
  row: TaskRow;
  claimedBy: string;
}

export interface MemoryQueue {
  readonly namespaceId: string;
  readonly kind: TaskRow['kind'];
  readonly taskQueue: string;
  /** The unclaimed rows, oldest first. */
  readonly free: TimeHeap;
  readonly taskIds: Set<number>;
}

export interface MemoryOutboxRow {
  readonly ref: RunRef;
  readonly createdAt: number;
  readonly bytes: Uint8Array;
}

/** The runs of one namespace. */
export interface MemoryNamespace {
  readonly current: Map<string, RunRef>;
  /** By run id. The rare run id that two workflow ids share has a list. */
  readonly byRunId: Map<string, RunRef | RunRef[]>;
  /** By start time, then ref. Deleted runs are left in until they are too many. */
  byStart: RunRef[];
  gone: number;
  readonly counts: Map<RunStatusColumn, number>;
}

export class MemoryData {
  readonly runs = new Map<RunRef, MemoryRun>();
  readonly namespaces = new Map<string, NamespaceRow>();
  readonly runsOf = new Map<string, MemoryNamespace>();
  readonly held = new Map<string, Set<RunRef>>();
  readonly wakeUps = new TimeHeap((time, ref) => this.runs.get(ref)?.columns.wakeAt === time);
  readonly expiries = new TimeHeap((time, ref) => this.runs.get(ref)?.columns.deleteAt === time);
  readonly tasks = new Map<number, MemoryTask>();
  readonly queues = new Map<string, MemoryQueue>();
  readonly outbox = new Map<number, MemoryOutboxRow>();
  readonly mail = new Map<string, Uint8Array[]>();
  readonly processes = new Map<string, ProcessRow>();
  /** Each store's listeners. */
  readonly listeners = new Map<object, Set<() => void>>();
  #number = 0;

  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  namespace(namespaceId: string): MemoryNamespace {
    let namespace = this.runsOf.get(namespaceId);
    if (namespace === undefined) {
      namespace = {
        current: new Map(),
        byRunId: new Map(),
        byStart: [],
        gone: 0,
        counts: new Map(),
      };
      this.runsOf.set(namespaceId, namespace);
    }
    return namespace;
  }

  find(key: RunKey): MemoryRun | undefined {
    const found = this.runsOf.get(key.namespaceId)?.byRunId.get(key.runId);
    if (found === undefined) return undefined;
    for (const ref of typeof found === 'number' ? [found] : found) {
      const run = this.runs.get(ref);
      if (run?.key.workflowId === key.workflowId) return run;
    }
    return undefined;
  }

  /** The run's row, with everything that looks for it by its columns. */
  addRun(run: MemoryRun): void {
    const namespace = this.namespace(run.key.namespaceId);
    this.runs.set(run.ref, run);
    if (run.isCurrent) {
      const before = this.runs.get(namespace.current.get(run.key.workflowId) ?? 0);
      if (before !== undefined) before.isCurrent = false;
      namespace.current.set(run.key.workflowId, run.ref);
    }
    const { runId } = run.key;
    const same = namespace.byRunId.get(runId);
    if (same === undefined) namespace.byRunId.set(runId, run.ref);
    else namespace.byRunId.set(runId, [...(typeof same === 'number' ? [same] : same), run.ref]);
    this.#addStart(namespace, run);
    count(namespace, run.columns.status, 1);
    this.#addTimes(run, undefined);
  }

  setColumns(run: MemoryRun, columns: RunColumns): void {
    const before = run.columns;
    const namespace = this.namespace(run.key.namespaceId);
    if (columns.startTime !== before.startTime) {
      namespace.byStart = namespace.byStart.filter((ref) => ref !== run.ref);
      run.columns = columns;
      this.#addStart(namespace, run);
    }
    run.columns = columns;
    if (columns.status !== before.status) {
      count(namespace, before.status, -1);
      count(namespace, columns.status, 1);
    }
    this.#addTimes(run, before);
  }

  deleteRun(ref: RunRef): void {
    const run = this.runs.get(ref);
    if (run === undefined) return;
    const { namespaceId, workflowId, runId } = run.key;
    const namespace = this.namespace(namespaceId);
    this.runs.delete(ref);
    if (run.isCurrent) namespace.current.delete(workflowId);
    const same = namespace.byRunId.get(runId);
    if (typeof same === 'number' || same === undefined) namespace.byRunId.delete(runId);
    else
      namespace.byRunId.set(
        runId,
        same.filter((other) => other !== ref),
      );
    count(namespace, run.columns.status, -1);
    this.#hold(run.columns.holder, ref, false);
    for (const taskId of run.taskIds ?? []) this.deleteTask(taskId);
    for (const outboxId of run.outboxIds ?? []) this.outbox.delete(outboxId);
    namespace.gone += 1;
    if (namespace.gone > 1_000 && namespace.gone * 2 > namespace.byStart.length) {
      namespace.byStart = namespace.byStart.filter((other) => this.runs.has(other));
      namespace.gone = 0;
    }
  }

  queue(namespaceId: string, kind: TaskRow['kind'], taskQueue: string): MemoryQueue {
    const name = `${kind}\0${namespaceId}\0${taskQueue}`;
    let queue = this.queues.get(name);
    if (queue === undefined) {
      const taskIds = new Set<number>();
      const free = new TimeHeap((_, id) => taskIds.has(id) && this.tasks.get(id)?.claimedBy === '');
      queue = { namespaceId, kind, taskQueue, free, taskIds };
      this.queues.set(name, queue);
    }
    return queue;
  }

  addTask(row: TaskRow): void {
    this.tasks.set(row.taskId, { row, claimedBy: '' });
    const queue = this.queue(row.key.namespaceId, row.kind, row.taskQueue);
    queue.taskIds.add(row.taskId);
    queue.free.add(row.createdAt, row.taskId);
    const run = this.runs.get(row.ref);
    if (run !== undefined) (run.taskIds ??= new Set()).add(row.taskId);
  }

  deleteTask(taskId: number): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    const { key, kind, taskQueue, ref } = task.row;
    this.tasks.delete(taskId);
    const queue = this.queue(key.namespaceId, kind, taskQueue);
    queue.taskIds.delete(taskId);
    // Sticky queues come and go with their processes.
    if (queue.taskIds.size === 0) this.queues.delete(`${kind}\0${key.namespaceId}\0${taskQueue}`);
    const run = this.runs.get(ref);
    run?.taskIds?.delete(taskId);
    if (run?.taskIds?.size === 0) run.taskIds = undefined;
  }

  releaseTask(taskId: number): void {
    const task = this.tasks.get(taskId);
    if (task === undefined || task.claimedBy === '') return;
    task.claimedBy = '';
    const { key, kind, taskQueue, createdAt } = task.row;
    this.queue(key.namespaceId, kind, taskQueue).free.add(createdAt, taskId);
  }

  deleteOutbox(outboxId: number): void {
    const row = this.outbox.get(outboxId);
    if (row === undefined) return;
    this.outbox.delete(outboxId);
    const run = this.runs.get(row.ref);
    run?.outboxIds?.delete(outboxId);
    if (run?.outboxIds?.size === 0) run.outboxIds = undefined;
  }

  #addStart(namespace: MemoryNamespace, run: MemoryRun): void {
    const { byStart } = namespace;
    const at = this.startIndex(namespace, run.columns.startTime, run.ref);
    if (at === byStart.length) byStart.push(run.ref);
    else byStart.splice(at, 0, run.ref);
  }

  /** How many runs of the list come before that place. Deleted ones are judged by their ref alone. */
  startIndex(namespace: MemoryNamespace, startTime: number, ref: RunRef): number {
    const { byStart } = namespace;
    let low = 0;
    let high = byStart.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      let probe = middle;
      while (probe < high && !this.runs.has(byStart[probe] as RunRef)) probe += 1;
      if (probe === high) {
        high = middle;
        continue;
      }
      const other = this.runs.get(byStart[probe] as RunRef) as MemoryRun;
      const { startTime: time } = other.columns;
      if (time < startTime || (time === startTime && other.ref < ref)) low = probe + 1;
      else high = middle;
    }
    return low;
  }

  #addTimes(run: MemoryRun, before: RunColumns | undefined): void {
    const { wakeAt, deleteAt, holder } = run.columns;
    if (wakeAt > 0 && wakeAt !== before?.wakeAt) this.wakeUps.add(wakeAt, run.ref);
    if (deleteAt > 0 && deleteAt !== before?.deleteAt) this.expiries.add(deleteAt, run.ref);
    if (holder !== (before?.holder ?? '')) {
      this.#hold(before?.holder ?? '', run.ref, false);
      this.#hold(holder, run.ref, true);
    }
  }

  #hold(holder: string, ref: RunRef, held: boolean): void {
    if (holder === '') return;
    let refs = this.held.get(holder);
    if (held) {
      if (refs === undefined) this.held.set(holder, (refs = new Set()));
      refs.add(ref);
    } else {
      refs?.delete(ref);
      if (refs?.size === 0) this.held.delete(holder);
    }
  }
}

function count(namespace: MemoryNamespace, status: RunStatusColumn, change: number): void {
  namespace.counts.set(status, (namespace.counts.get(status) ?? 0) + change);
}

/** The same bytes, and not a slice of a larger buffer that it would keep alive. Who commits does not write to them again. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
