/**
 * What a packet of the write path says. First a guard locks all that the packet rests on, runs in the order of their
 * refs: its fence, the versions, the runs whose place is taken. If something is not as expected it inserts a row that
 * is there already, and that error ends the packet before anything was written. A new run whose id is taken ends it by
 * the same error. What follows the guard is one statement a table, however many runs there are.
 *
 * An update is sent without its visibility row while the run is open. Its fingerprint stands in the guard, which so
 * tells when that row has to be written after all.
 */
import { crc32 } from 'node:zlib';
import { fingerprintOf, ownOrNull, searchValuesJson } from '../run-columns.ts';
import type { CommitGroup, CommitResult, RunRef, RunWrite } from '../store.ts';
import type { MysqlQuestions } from './database.ts';
import type { SqlRow } from './driver.ts';
import { listOf, literal, type SqlValue } from './literal.ts';

type Found = readonly (readonly SqlRow[])[];

interface Placed {
  readonly group: CommitGroup;
  readonly write: RunWrite;
  readonly ref: RunRef;
  readonly namespace: number;
  readonly outboxIds: readonly number[];
}

export class CommitPacket {
  readonly #db: MysqlQuestions;
  readonly #groups: readonly CommitGroup[];
  readonly #full: ReadonlySet<CommitGroup>;
  readonly #writes: ReadonlyMap<RunWrite, Placed>;
  #number: number;

  /** Gives refs to new runs, and numbers to messages. `full`: groups whose visibility rows are written in any case. */
  static async of(
    db: MysqlQuestions,
    groups: readonly CommitGroup[],
    full: ReadonlySet<CommitGroup>,
  ): Promise<CommitPacket> {
    const writes = groups.flatMap((group) => group.writes);
    const namespaces = new Map<string, number>();
    let count = 0;
    for (const { key, ref, outbox, tasks, mail } of writes) {
      if (!namespaces.has(key.namespaceId)) {
        namespaces.set(key.namespaceId, await db.namespaceNumber(key.namespaceId));
      }
      count += (ref === undefined ? 1 : 0) + outbox.length + tasks.length + mail.length;
    }
    const number = count === 0 ? 0 : await db.numbers(count);
    return new CommitPacket(db, groups, full, namespaces, number);
  }

  private constructor(
    db: MysqlQuestions,
    groups: readonly CommitGroup[],
    full: ReadonlySet<CommitGroup>,
    namespaces: ReadonlyMap<string, number>,
    number: number,
  ) {
    this.#db = db;
    this.#groups = groups;
    this.#full = full;
    this.#number = number;
    const placed = new Map<RunWrite, Placed>();
    for (const group of groups) {
      for (const write of group.writes) {
        placed.set(write, {
          group,
          write,
          ref: write.ref ?? this.#nextNumber(),
          namespace: namespaces.get(write.key.namespaceId) ?? 0,
          outboxIds: write.outbox.map(() => this.#nextNumber()),
        });
      }
    }
    this.#writes = placed;
  }

  /** `fence` selects the row of the commit's fence, if it has one. */
  statements(fence: string | undefined): readonly string[] {
    const { visibility, runs, history, tasks, outbox, mail } = this.#db.tables;
    const writes = [...this.#writes.values()].sort(inOrder);
    const isNew = ({ write }: Placed): boolean => write.ref === undefined;
    const first = this.#number;
    const statements = [
      ...this.#guard(fence),
      ...this.#formers(),
      ...insert(visibility, visibilityColumns, writes.filter(isNew).map(visibilityRow)),
      // The rows that are there are locked, and have the version that was expected.
      ...insert(runs, runColumns, writes.map(runRow), updateRun),
      ...insert(
        visibility,
        visibilityColumns,
        writes.filter((one) => !isNew(one) && this.#isFull(one)).map(visibilityRow),
        updateVisibility,
      ),
      ...insert(history, historyColumns, writes.flatMap(historyRows)),
      ...insert(
        tasks,
        taskColumns,
        writes.flatMap((one) => this.#taskRows(one)),
      ),
      ...insert(outbox, outboxColumns, writes.flatMap(outboxRows)),
      ...insert(
        mail,
        mailColumns,
        writes.flatMap((one) => this.#mailRows(one)),
      ),
      ...this.#done(),
    ];
    // Sent again over another fence, it is the same.
    this.#number = first;
    return statements;
  }

  /** Asked when the packet was refused, for `conflictsIn` and `changedIn`. */
  look(): readonly string[] {
    const { runs, visibility } = this.#db.tables;
    const refs = [...this.#expected().keys()];
    const places = [...this.#writes.values()]
      .filter(({ write }) => write.ref === undefined)
      .map(
        ({ write: { key }, namespace }) =>
          `(namespace = ${namespace} AND workflow_id = ${literal(key.workflowId)} AND former IN ('', ${literal(key.runId)}))`,
      );
    return [
      `SELECT ref, version, fingerprint FROM ${runs} WHERE ref IN ${listOf(refs)}`,
      `SELECT ref, namespace, workflow_id, run_id, former FROM ${visibility} WHERE ${places.join(' OR ') || 'FALSE'}`,
    ];
  }

  /** Places of the groups that cannot be written as things stand. */
  conflictsIn([runs = [], ids = []]: Found): readonly number[] {
    const versions = new Map(runs.map((row) => [row['ref'], row['version']]));
    const isLost = (group: CommitGroup): boolean =>
      (group.reads ?? []).some(
        ({ ref, expectedVersion }) => versions.get(ref) !== expectedVersion,
      ) ||
      group.writes.some((write) =>
        write.ref === undefined
          ? !this.#isFree(write, ids)
          : versions.get(write.ref) !== write.expectedVersion,
      );
    return [...this.#groups.keys()].filter((place) => isLost(this.#groups[place] as CommitGroup));
  }

  /** Groups that were sent without a visibility row which does change. */
  changedIn([runs = []]: Found): readonly CommitGroup[] {
    const fingerprints = new Map(runs.map((row) => [row['ref'], row['fingerprint']]));
    return [...this.#writes.values()]
      .filter(
        (one) =>
          one.write.ref !== undefined &&
          !this.#isFull(one) &&
          fingerprints.get(one.ref) !== fingerprintOf(one.write.columns),
      )
      .map(({ group }) => group);
  }

  /** Of the group at that place, once it is written. */
  resultOf(place: number): CommitResult {
    const placed = (this.#groups[place] as CommitGroup).writes.map(
      (write) => this.#writes.get(write) as Placed,
    );
    return {
      outcome: 'committed',
      refs: placed.map(({ ref }) => ref),
      outboxIds: placed.map(({ outboxIds }) => outboxIds),
    };
  }

  #nextNumber(): number {
    const number = this.#number;
    this.#number += 1;
    return number;
  }

  #isFull({ group, write }: Placed): boolean {
    return write.ref === undefined || write.columns.closeTime !== 0 || this.#full.has(group);
  }

  /** Whether a new run's ids are free, and the run whose place it takes is the current one. */
  #isFree(write: RunWrite, ids: readonly SqlRow[]): boolean {
    const { namespace } = this.#writes.get(write) as Placed;
    const { workflowId, runId } = write.key;
    const same = ids.filter(
      (row) => row['namespace'] === namespace && row['workflow_id'] === workflowId,
    );
    if (same.some((row) => row['run_id'] === runId)) return false;
    const current = same.find((row) => row['former'] === '');
    return (
      write.replaces === undefined || write.replaces === ((current?.['ref'] as RunRef) ?? null)
    );
  }

  /** Versions of the runs that this rests on, and the fingerprints of those that are not to change. */
  #expected(): ReadonlyMap<RunRef, { readonly version: number; readonly fingerprint?: number }> {
    const expected = new Map<RunRef, { version: number; fingerprint?: number }>();
    for (const { reads } of this.#groups) {
      for (const { ref, expectedVersion } of reads ?? []) {
        expected.set(ref, { version: expectedVersion });
      }
    }
    for (const one of this.#writes.values()) {
      const { ref, expectedVersion, columns } = one.write;
      if (ref === undefined) continue;
      expected.set(ref, {
        version: expectedVersion,
        ...(this.#isFull(one) ? {} : { fingerprint: fingerprintOf(columns) }),
      });
    }
    return expected;
  }

  #guard(fence: string | undefined): readonly string[] {
    const { refusals, runs, visibility } = this.#db.tables;
    const wrong = fence === undefined ? [] : [`NOT EXISTS (${fence} LOCK IN SHARE MODE)`];
    const expected = [...this.#expected()].sort(([a], [b]) => a - b);
    if (expected.length > 0) {
      const rows = expected.map(([ref, { version, fingerprint }]) =>
        fingerprint === undefined
          ? `(ref = ${ref} AND version = ${version})`
          : `(ref = ${ref} AND version = ${version} AND fingerprint = ${fingerprint})`,
      );
      wrong.push(
        `(SELECT count(*) FROM ${runs} WHERE ref IN ${listOf(expected.map(([ref]) => ref))} AND (${rows.join(' OR ')}) FOR UPDATE) <> ${rows.length}`,
      );
    }
    const replaced = this.#replaced();
    if (replaced.length > 0) {
      const rows = replaced.map(
        ({ write, namespace }) =>
          `(ref = ${write.replaces as number} AND former = '' AND namespace = ${namespace} AND workflow_id = ${literal(write.key.workflowId)} AND run_id <> ${literal(write.key.runId)})`,
      );
      wrong.push(
        `(SELECT count(*) FROM ${visibility} WHERE ref IN ${listOf(replaced.map(({ write }) => write.replaces as number))} AND (${rows.join(' OR ')}) FOR UPDATE) <> ${rows.length}`,
      );
    }
    if (wrong.length === 0) return [];
    return [`INSERT INTO ${refusals} (refusal) SELECT 1 FROM DUAL WHERE ${wrong.join(' OR ')}`];
  }

  /** New runs that take the place of another. */
  #replaced(): readonly Placed[] {
    return [...this.#writes.values()].filter(
      ({ write }) => write.ref === undefined && typeof write.replaces === 'number',
    );
  }

  #formers(): readonly string[] {
    const refs = this.#replaced().map(({ write }) => write.replaces as number);
    if (refs.length === 0) return [];
    return [
      `UPDATE ${this.#db.tables.visibility} SET former = run_id WHERE ref IN ${listOf(refs)}`,
    ];
  }

  #taskRows({ write, ref, namespace }: Placed): readonly SqlValue[][] {
    return write.tasks.map((task) => [
      this.#nextNumber(),
      ref,
      namespace,
      task.kind,
      task.taskQueue,
      task.normalTaskQueue,
      task.scheduledEventId,
      task.stamp,
      task.type,
      task.createdAt,
    ]);
  }

  #mailRows({ write }: Placed): readonly SqlValue[][] {
    return write.mail.map(({ processId, bytes }) => [this.#nextNumber(), processId, bytes]);
  }

  #done(): readonly string[] {
    const { tasks, outbox } = this.#db.tables;
    const doneTasks = this.#groups.flatMap((group) => group.doneTasks).sort((a, b) => a - b);
    const doneOutbox = this.#groups.flatMap((group) => group.doneOutbox).sort((a, b) => a - b);
    return [
      ...(doneTasks.length === 0
        ? []
        : [`DELETE FROM ${tasks} WHERE task_id IN ${listOf(doneTasks)}`]),
      ...(doneOutbox.length === 0
        ? []
        : [`DELETE FROM ${outbox} WHERE outbox_id IN ${listOf(doneOutbox)}`]),
    ];
  }
}

/** Updates by ref, then new runs by id: rows that several processes write are locked by all in the same order. */
function inOrder(a: Placed, b: Placed): number {
  if (a.write.ref !== undefined || b.write.ref !== undefined) {
    return (a.write.ref ?? Infinity) < (b.write.ref ?? Infinity) ? -1 : 1;
  }
  const [one, other] = [a.write.key, b.write.key];
  if (one.workflowId !== other.workflowId) return one.workflowId < other.workflowId ? -1 : 1;
  return one.runId < other.runId ? -1 : 1;
}

function insert(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  update = '',
): readonly string[] {
  if (rows.length === 0) return [];
  return [
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(listOf).join(', ')}${update}`,
  ];
}

/** Rows that are there get what was given for them. */
function updateOf(columns: readonly string[]): string {
  const set = columns.map((column) => `${column} = VALUES(${column})`);
  return ` ON DUPLICATE KEY UPDATE ${set.join(', ')}`;
}

const runColumns = [
  'ref',
  'version',
  'fingerprint',
  'wake_at',
  'delete_at',
  'history_events',
  'history_bytes',
  'checksum',
  'holder',
  'operation_token',
  'state',
];
const updateRun = updateOf(runColumns.slice(1));

function runRow({ write, ref }: Placed): readonly SqlValue[] {
  const { columns, state } = write;
  return [
    ref,
    write.expectedVersion + 1,
    fingerprintOf(columns),
    columns.wakeAt,
    columns.deleteAt,
    columns.historyEvents,
    columns.historyBytes,
    crc32(state),
    columns.holder,
    write.operationToken,
    state,
  ];
}

const ownColumns = ['ref', 'namespace', 'workflow_id', 'run_id', 'former'];
const sharedColumns = [
  'workflow_type',
  'task_queue',
  'status',
  'start_time',
  'execution_time',
  'close_time',
  'parent_workflow_id',
  'parent_run_id',
  'root_workflow_id',
  'root_run_id',
  'first_run_id',
  'memo',
  'search_attributes',
  'search_values',
];
const visibilityColumns = [...ownColumns, ...sharedColumns];
const updateVisibility = updateOf(sharedColumns);

function visibilityRow({ write, ref, namespace }: Placed): readonly SqlValue[] {
  const { key, columns, replaces } = write;
  return [
    ref,
    namespace,
    key.workflowId,
    key.runId,
    replaces === undefined ? key.runId : '',
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
  ];
}

const historyColumns = ['ref', 'first_event_id', 'next_event_id', 'checksum', 'bytes'];

function historyRows({ write: { history }, ref }: Placed): readonly SqlValue[][] {
  if (history === undefined) return [];
  const { firstEventId, nextEventId, bytes } = history;
  return [[ref, firstEventId, nextEventId, crc32(bytes), bytes]];
}

const taskColumns = [
  'task_id',
  'ref',
  'namespace',
  'kind',
  'task_queue',
  'normal_task_queue',
  'scheduled_event_id',
  'stamp',
  'type',
  'created_at',
];
const outboxColumns = ['outbox_id', 'ref', 'created_at', 'bytes'];
const mailColumns = ['mail_id', 'process_id', 'bytes'];

function outboxRows({ group, write, ref, outboxIds }: Placed): readonly SqlValue[][] {
  return write.outbox.map((bytes, index) => [outboxIds[index] ?? 0, ref, group.now, bytes]);
}
