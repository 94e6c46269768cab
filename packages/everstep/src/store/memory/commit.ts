/** All checks of a group come before its first write, so a group needs no undoing. */
import { ownBytes } from './memory-data.ts';
import type { MemoryData, MemoryHistoryBatch, MemoryRun } from './memory-data.ts';
import { packBytes } from './packed-bytes.ts';
import type {
  CommitGroup,
  CommitResult,
  HistoryBatch,
  RunColumns,
  RunRef,
  RunWrite,
} from '../store.ts';

const conflict: CommitResult = { outcome: 'conflict' };
const noIds: readonly number[] = [];

export function commitGroup(data: MemoryData, group: CommitGroup): CommitResult {
  if (!group.writes.every((write) => holds(data, write))) return conflict;
  const unread = group.reads?.some((read) => !isAt(data, read.ref, read.expectedVersion));
  if (unread === true) return conflict;
  const refs: number[] = [];
  const outboxIds: (readonly number[])[] = [];
  for (const write of group.writes) {
    const run = write.ref === undefined ? create(data, write) : update(data, write, write.ref);
    refs.push(run.ref);
    if (write.history !== undefined) addHistory(run, write.history);
    for (const task of write.tasks) {
      data.addTask({ ...task, taskId: data.nextNumber(), ref: run.ref, key: run.key });
    }
    outboxIds.push(write.outbox.length === 0 ? noIds : addOutbox(data, run, write, group.now));
    for (const { processId, bytes } of write.mail) {
      const letters = data.mail.get(processId);
      if (letters === undefined) data.mail.set(processId, [ownBytes(bytes)]);
      else letters.push(ownBytes(bytes));
    }
  }
  for (const taskId of group.doneTasks) data.deleteTask(taskId);
  for (const outboxId of group.doneOutbox) data.deleteOutbox(outboxId);
  return { outcome: 'committed', refs, outboxIds };
}

function isAt(data: MemoryData, ref: RunRef, version: number): boolean {
  return data.runs.get(ref)?.version === version;
}

function holds(data: MemoryData, write: RunWrite): boolean {
  if (write.ref !== undefined) return isAt(data, write.ref, write.expectedVersion);
  const { key, replaces } = write;
  if (replaces !== undefined) {
    const current = data.runsOf.get(key.namespaceId)?.current.get(key.workflowId) ?? null;
    if (current !== replaces) return false;
  }
  return data.find(key) === undefined;
}

function create(data: MemoryData, write: RunWrite): MemoryRun {
  const run: MemoryRun = {
    ref: data.nextNumber(),
    key: write.key,
    version: write.expectedVersion + 1,
    operationToken: write.operationToken,
    isCurrent: write.replaces !== undefined,
    columns: ownColumns(write.columns),
    state: packBytes(write.state),
    history: undefined,
    taskIds: undefined,
    outboxIds: undefined,
  };
  data.addRun(run);
  return run;
}

function update(data: MemoryData, write: RunWrite, ref: number): MemoryRun {
  const run = data.runs.get(ref) as MemoryRun;
  run.version += 1;
  run.operationToken = write.operationToken;
  run.state = packBytes(write.state);
  data.setColumns(run, ownColumns(write.columns));
  return run;
}

function ownColumns(columns: RunColumns): RunColumns {
  const { memo, searchAttributes } = columns;
  if (memo === undefined && searchAttributes === undefined) return columns;
  return {
    ...columns,
    ...(memo === undefined ? {} : { memo: ownBytes(memo) }),
    ...(searchAttributes === undefined ? {} : { searchAttributes: ownBytes(searchAttributes) }),
  };
}

function addHistory(run: MemoryRun, { firstEventId, nextEventId, bytes }: HistoryBatch): void {
  const batch: MemoryHistoryBatch = { firstEventId, nextEventId, packed: packBytes(bytes) };
  if (run.history === undefined) run.history = batch;
  else if (Array.isArray(run.history)) run.history.push(batch);
  else run.history = [run.history, batch];
}

function addOutbox(
  data: MemoryData,
  run: MemoryRun,
  write: RunWrite,
  createdAt: number,
): readonly number[] {
  return write.outbox.map((bytes) => {
    const outboxId = data.nextNumber();
    data.outbox.set(outboxId, { ref: run.ref, createdAt, bytes: ownBytes(bytes) });
    (run.outboxIds ??= new Set()).add(outboxId);
    return outboxId;
  });
}
