/**
 * The write path. All groups of a call share one transaction, so one fsync. What a running run costs is one UPDATE
 * of its `runs` row and one INSERT into `history`.
 *
 * Nothing is undone inside a transaction: a group of several writes checks all its versions before the first write,
 * and a group of one write is checked by the write itself. An error (a full disk) undoes the whole transaction;
 * then each group is tried in a transaction of its own, so that it fails alone.
 */
import { crc32 } from 'node:zlib';
import type { SqliteDatabase } from './database.ts';
import type { SqliteStatement } from './driver.ts';
import { describeRun, fingerprintOf, ownOrNull, searchValuesJson } from '../run-columns.ts';
import { StoreError } from '../store.ts';
import type { CommitGroup, CommitResult, RunRef, RunWrite } from '../store.ts';

const conflict: CommitResult = { outcome: 'conflict' };
const noIds: readonly number[] = [];
const oneWithoutIds: readonly (readonly number[])[] = [noIds];

export class SqliteCommit {
  readonly #db: SqliteDatabase;
  readonly #statements: Readonly<Record<keyof typeof sql, SqliteStatement>>;

  constructor(db: SqliteDatabase) {
    this.#db = db;
    this.#statements = Object.fromEntries(
      Object.entries(sql).map(([name, text]) => [name, db.statement(text)]),
    ) as Record<keyof typeof sql, SqliteStatement>;
  }

  commit(groups: readonly CommitGroup[]): readonly CommitResult[] {
    this.#db.check();
    if (groups.length === 0) return [];
    try {
      return this.#db.transaction(() => {
        const results: CommitResult[] = [];
        for (const group of groups) results.push(this.#group(group));
        return results;
      });
    } catch (cause) {
      const error = this.#db.failed(cause);
      if (groups.length === 1 || error.code === 'STORE_BUSY' || this.#db.failure !== undefined) {
        return groups.map(() => ({ outcome: 'failed', error }));
      }
      return groups.flatMap((group) => this.commit([group]));
    }
  }

  /** Deletes runs with all their rows. Inside a transaction. */
  deleteRuns(refs: readonly RunRef[]): void {
    for (const ref of refs) {
      if (this.#statements.selectVersion.get(ref) === undefined) continue;
      this.#statements.deleteRun.run(ref);
      this.#statements.deleteVisibility.run(ref);
      this.#statements.deleteHistory.run(ref);
      this.#statements.deleteTasks.run(ref);
      this.#statements.deleteOutbox.run(ref);
    }
  }

  #group(group: CommitGroup): CommitResult {
    const { writes } = group;
    if (writes.length > 1 && !writes.every((write) => this.#holds(write))) return conflict;
    if (group.reads?.some((read) => !this.#isAt(read.ref, read.expectedVersion))) return conflict;
    const refs: RunRef[] = [];
    let outboxIds: (readonly number[])[] | undefined;
    for (let i = 0; i < writes.length; i += 1) {
      const write = writes[i] as RunWrite;
      const ref = write.ref === undefined ? this.#create(write) : this.#update(write, write.ref);
      if (ref === 0) {
        if (i === 0) return conflict;
        throw new StoreError(
          'STORE_FAILED',
          `A commit to ${this.#db.path} names ${describeRun(write.key)} twice in one group. Nothing of the group was ` +
            `written.`,
        );
      }
      refs.push(ref);
      if (write.outbox.length > 0) {
        outboxIds ??= writes.map(() => noIds);
        outboxIds[i] = this.#outbox(write, ref, group.now);
      }
    }
    for (const taskId of group.doneTasks) this.#statements.deleteTask.run(taskId);
    for (const outboxId of group.doneOutbox) this.#statements.deleteOutboxRow.run(outboxId);
    return {
      outcome: 'committed',
      refs,
      outboxIds: outboxIds ?? (writes.length === 1 ? oneWithoutIds : writes.map(() => noIds)),
    };
  }

  #isAt(ref: RunRef, version: number): boolean {
    return this.#statements.selectVersion.get(ref)?.['version'] === version;
  }

  /** Whether a write finds what it expects. */
  #holds(write: RunWrite): boolean {
    if (write.ref !== undefined) return this.#isAt(write.ref, write.expectedVersion);
    const { namespaceId, workflowId, runId } = write.key;
    const namespace = this.#db.namespaceNumber(namespaceId);
    const current = this.#statements.selectCurrent.get(namespace, workflowId);
    if (write.replaces !== undefined && (current?.['ref'] ?? null) !== write.replaces) return false;
    if (current?.['run_id'] === runId) return false;
    return this.#statements.selectFormer.get(namespace, workflowId, runId) === undefined;
  }

  /** The new run's ref, 0 = conflict. */
  #create(write: RunWrite): RunRef {
    const { key, columns, replaces } = write;
    const namespace = this.#db.ensureNamespaceNumber(key.namespaceId);
    const isCurrent = replaces !== undefined;
    if (
      typeof replaces === 'number' &&
      this.#statements.unsetCurrent.run(replaces, namespace, key.workflowId, key.runId).changes ===
        0
    ) {
      return 0;
    }
    const ref = this.#db.nextNumber();
    const inserted = this.#statements.insertVisibility.run(
      ref,
      namespace,
      isCurrent ? 1 : 0,
      key.workflowId,
      key.runId,
      columns.workflowType,
      columns.taskQueue,
      columns.status,
      columns.startTime,
      columns.executionTime,
      columns.closeTime,
      columns.parentWorkflowId,
      columns.parentRunId,
      ownOrNull(columns.rootWorkflowId, key.workflowId),
      ownOrNull(columns.rootRunId, key.runId),
      ownOrNull(columns.firstRunId, key.runId),
      columns.memo ?? null,
      columns.searchAttributes ?? null,
      searchValuesJson(columns),
    );
    if (inserted.changes === 0) {
      if (typeof replaces === 'number') this.#statements.setCurrent.run(replaces);
      return 0;
    }
    this.#statements.insertRun.run(
      ref,
      write.expectedVersion + 1,
      fingerprintOf(columns),
      columns.wakeAt,
      columns.deleteAt,
      columns.historyEvents,
      columns.historyBytes,
      crc32(write.state),
      columns.holder,
      write.operationToken,
      write.state,
    );
    this.#rest(write, ref, namespace);
    return ref;
  }

  /** The ref, 0 = conflict. */
  #update(write: RunWrite, ref: RunRef): RunRef {
    const { columns, expectedVersion, state, operationToken } = write;
    const { wakeAt, holder, deleteAt, historyEvents, historyBytes } = columns;
    const { updateSame, updateMoved, updateRun } = this.#statements;
    const fingerprint = fingerprintOf(columns);
    const checksum = crc32(state);
    const version = expectedVersion + 1;
    const written = [
      version,
      historyEvents,
      historyBytes,
      checksum,
      operationToken,
      state,
    ] as const;
    const indexed = [wakeAt, holder, deleteAt] as const;
    // SQLite rewrites the entries of every index whose column stands in SET, changed or not: so the common case,
    // where nothing indexed changed, has a statement of its own that names those columns as conditions only. The end
    // of a run changes its status, so neither that one nor the next would find it.
    const isAsItWas =
      columns.closeTime === 0 &&
      (updateSame.run(...written, ref, expectedVersion, fingerprint, ...indexed).changes > 0 ||
        updateMoved.run(...written, ...indexed, ref, expectedVersion, fingerprint).changes > 0);
    if (!isAsItWas) {
      const { changes } = updateRun.run(...written, ...indexed, fingerprint, ref, expectedVersion);
      if (changes === 0) return 0;
      this.#updateVisibility(write, ref);
    }
    this.#rest(write, ref, 0);
    return ref;
  }

  #updateVisibility({ columns, key }: RunWrite, ref: RunRef): void {
    const { workflowType, taskQueue, startTime, parentWorkflowId } = columns;
    const place = [workflowType, taskQueue, startTime, parentWorkflowId] as const;
    const rest = [
      columns.status,
      columns.executionTime,
      columns.closeTime,
      columns.parentRunId,
      ownOrNull(columns.rootWorkflowId, key.workflowId),
      ownOrNull(columns.rootRunId, key.runId),
      ownOrNull(columns.firstRunId, key.runId),
      columns.memo ?? null,
      columns.searchAttributes ?? null,
      searchValuesJson(columns),
    ] as const;
    // Here as well what hardly ever changes is named as a condition.
    if (this.#statements.updateInPlace.run(...rest, ref, ...place).changes === 0) {
      this.#statements.updateVisibility.run(...rest, ...place, ref);
    }
  }

  #rest(write: RunWrite, ref: RunRef, namespace: number): void {
    const { history } = write;
    if (history !== undefined) {
      this.#statements.insertHistory.run(
        ref,
        history.firstEventId,
        history.nextEventId,
        crc32(history.bytes),
        history.bytes,
      );
    }
    for (const task of write.tasks) {
      this.#statements.insertTask.run(
        this.#db.nextNumber(),
        ref,
        namespace === 0 ? this.#db.ensureNamespaceNumber(write.key.namespaceId) : namespace,
        task.kind,
        task.taskQueue,
        task.normalTaskQueue,
        task.scheduledEventId,
        task.stamp,
        task.type,
        task.createdAt,
      );
    }
    for (const letter of write.mail) {
      this.#statements.insertMail.run(letter.processId, letter.bytes);
    }
  }

  #outbox(write: RunWrite, ref: RunRef, now: number): readonly number[] {
    return write.outbox.map((bytes) => {
      const outboxId = this.#db.nextNumber();
      this.#statements.insertOutbox.run(outboxId, ref, now, bytes);
      return outboxId;
    });
  }
}

const sql = {
  updateSame: `UPDATE runs SET version = ?, history_events = ?, history_bytes = ?, checksum = ?,
    operation_token = ?, state = ?
    WHERE ref = ? AND version = ? AND fingerprint = ? AND wake_at = ? AND holder = ? AND delete_at = ?`,
  updateMoved: `UPDATE runs SET version = ?, history_events = ?, history_bytes = ?, checksum = ?,
    operation_token = ?, state = ?, wake_at = ?, holder = ?, delete_at = ?
    WHERE ref = ? AND version = ? AND fingerprint = ?`,
  updateRun: `UPDATE runs SET version = ?, history_events = ?, history_bytes = ?, checksum = ?,
    operation_token = ?, state = ?, wake_at = ?, holder = ?, delete_at = ?, fingerprint = ?
    WHERE ref = ? AND version = ?`,
  updateInPlace: `UPDATE visibility SET status = ?, execution_time = ?, close_time = ?, parent_run_id = ?,
    root_workflow_id = ?, root_run_id = ?, first_run_id = ?, memo = ?, search_attributes = ?, search_values = ?
    WHERE ref = ? AND workflow_type = ? AND task_queue = ? AND start_time = ? AND parent_workflow_id = ?`,
  updateVisibility: `UPDATE visibility SET status = ?, execution_time = ?, close_time = ?, parent_run_id = ?,
    root_workflow_id = ?, root_run_id = ?, first_run_id = ?, memo = ?, search_attributes = ?, search_values = ?,
    workflow_type = ?, task_queue = ?, start_time = ?, parent_workflow_id = ? WHERE ref = ?`,
  insertVisibility: `INSERT INTO visibility (ref, namespace, is_current, workflow_id, run_id, workflow_type,
    task_queue, status, start_time, execution_time, close_time, parent_workflow_id, parent_run_id,
    root_workflow_id, root_run_id, first_run_id, memo, search_attributes, search_values)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  insertRun: `INSERT INTO runs (ref, version, fingerprint, wake_at, delete_at, history_events, history_bytes,
    checksum, holder, operation_token, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  insertHistory: `INSERT INTO history (ref, first_event_id, next_event_id, checksum, bytes)
    VALUES (?, ?, ?, ?, ?)`,
  insertTask: `INSERT INTO tasks (task_id, ref, namespace, kind, task_queue, normal_task_queue,
    scheduled_event_id, stamp, type, created_at, claimed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')`,
  insertOutbox: 'INSERT INTO outbox (outbox_id, ref, created_at, bytes) VALUES (?, ?, ?, ?)',
  insertMail: 'INSERT INTO mail (process_id, bytes) VALUES (?, ?)',
  selectVersion: 'SELECT version FROM runs WHERE ref = ?',
  selectCurrent: `SELECT ref, run_id FROM visibility WHERE namespace = ? AND workflow_id = ? AND is_current = 1`,
  selectFormer: `SELECT ref FROM visibility
    WHERE namespace = ? AND workflow_id = ? AND run_id = ? AND is_current = 0`,
  unsetCurrent: `UPDATE visibility SET is_current = 0
    WHERE ref = ? AND is_current = 1 AND namespace = ? AND workflow_id = ? AND run_id <> ?`,
  setCurrent: 'UPDATE visibility SET is_current = 1 WHERE ref = ?',
  deleteTask: 'DELETE FROM tasks WHERE task_id = ?',
  deleteOutboxRow: 'DELETE FROM outbox WHERE outbox_id = ?',
  deleteRun: 'DELETE FROM runs WHERE ref = ?',
  deleteVisibility: 'DELETE FROM visibility WHERE ref = ?',
  deleteHistory: 'DELETE FROM history WHERE ref = ?',
  deleteTasks: 'DELETE FROM tasks WHERE ref = ?',
  deleteOutbox: 'DELETE FROM outbox WHERE ref = ?',
};
