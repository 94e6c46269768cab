/** The arguments of commit_1: what groups write, as arrays with one entry a row, and their bytes in one value. */
import { crc32 } from 'node:zlib';
import type { SqlRow, SqlValue } from './driver.ts';
import { fingerprintOf, ownOrNull, searchValuesJson } from '../run-columns.ts';
import type { CommitGroup, CommitResult, RunColumns, RunWrite } from '../store.ts';

const conflict: CommitResult = { outcome: 'conflict' };

/** Arrays of commit_1 in its order, after those of the call itself. */
const arrays = {
  rRef: 'bigint',
  rExpected: 'bigint',
  wRef: 'bigint',
  wExpected: 'bigint',
  wFull: 'boolean',
  wFingerprint: 'bigint',
  wWake: 'float8',
  wDelete: 'float8',
  wEvents: 'bigint',
  wBytes: 'bigint',
  wHolder: 'text',
  wToken: 'text',
  wChecksum: 'bigint',
  wAt: 'integer',
  wLength: 'integer',
  vWrite: 'integer',
  vNamespace: 'text',
  vWorkflow: 'text',
  vRun: 'text',
  vCurrent: 'boolean',
  vReplaces: 'bigint',
  vType: 'text',
  vQueue: 'text',
  vStatus: 'text',
  vStart: 'float8',
  vExecution: 'float8',
  vClose: 'float8',
  vParentWorkflow: 'text',
  vParentRun: 'text',
  vRootWorkflow: 'text',
  vRootRun: 'text',
  vFirstRun: 'text',
  vMemoAt: 'integer',
  vMemoLength: 'integer',
  vAttributesAt: 'integer',
  vAttributesLength: 'integer',
  vValues: 'text',
  hWrite: 'integer',
  hFirst: 'bigint',
  hNext: 'bigint',
  hChecksum: 'bigint',
  hAt: 'integer',
  hLength: 'integer',
  tWrite: 'integer',
  tNamespace: 'text',
  tKind: 'text',
  tQueue: 'text',
  tNormal: 'text',
  tScheduled: 'bigint',
  tStamp: 'bigint',
  tType: 'text',
  tCreated: 'float8',
  oWrite: 'integer',
  oAt: 'integer',
  oLength: 'integer',
  mWrite: 'integer',
  mProcess: 'text',
  mAt: 'integer',
  mLength: 'integer',
  dtWrite: 'integer',
  dtId: 'bigint',
  doWrite: 'integer',
  doId: 'bigint',
} as const;

type Name = keyof typeof arrays;
type Entry = number | string | boolean | null;
const names = Object.keys(arrays) as Name[];

/** Of several writes, or resting on runs that were only read, or taking another run's place: all of it or nothing. */
export function isWhole({ writes, reads }: CommitGroup): boolean {
  return (
    writes.length > 1 ||
    (reads !== undefined && reads.length > 0) ||
    typeof writes[0]?.replaces === 'number'
  );
}

export class CommitArrays {
  readonly #groups: readonly CommitGroup[];
  readonly #full: boolean;
  readonly #whole: boolean;
  readonly #rows = Object.fromEntries(names.map((name) => [name, [] as Entry[]])) as Record<
    Name,
    Entry[]
  >;
  readonly #bytes: Uint8Array[] = [];
  #size = 0;
  /** Of each group the places of its writes, from 1. */
  readonly #places: number[][];

  static statement(schema: string): string {
    const typed = names.map((name, index) => `$${index + 5}::${arrays[name]}[]`);
    return `SELECT refs, outbox_ids FROM ${schema}.commit_1($1::bigint, $2::boolean, $3::float8, $4::bytea, ${typed.join(', ')})`;
  }

  /** Groups of one write each, or one group. `full`: every visibility row is written. */
  constructor(groups: readonly CommitGroup[], full: boolean) {
    this.#groups = groups;
    const [first] = groups;
    this.#whole = groups.length === 1 && first !== undefined && isWhole(first);
    this.#full = full || this.#whole;
    this.#places = groups.map(() => []);
    for (const read of first?.reads ?? []) {
      this.#add({ rRef: read.ref, rExpected: read.expectedVersion });
    }
    for (const index of inOrder(groups)) this.#group(index);
  }

  values(fence: number): readonly SqlValue[] {
    return [
      fence,
      this.#whole,
      this.#groups[0]?.now ?? 0,
      Buffer.concat(this.#bytes),
      ...names.map((name) => arrayOf(this.#rows[name])),
    ];
  }

  /** Whether that group's write was sent without its visibility row. */
  isPartial(index: number): boolean {
    const [write] = this.#groups[index]?.writes ?? [];
    return write !== undefined && !this.#isFull(write);
  }

  resultsOf(row: SqlRow): readonly CommitResult[] {
    const refs = (row['refs'] ?? []) as readonly number[];
    const ids = (row['outbox_ids'] ?? []) as readonly number[];
    const outbox = new Map<number, number[]>();
    for (const [place, write] of this.#rows.oWrite.entries()) {
      const of = outbox.get(write as number) ?? [];
      of.push(ids[place] as number);
      outbox.set(write as number, of);
    }
    return this.#groups.map((_, index) => {
      const places = this.#places[index] as number[];
      if (places.some((place) => refs[place - 1] === 0)) return conflict;
      return {
        outcome: 'committed',
        refs: places.map((place) => refs[place - 1] as number),
        outboxIds: places.map((place) => outbox.get(place) ?? []),
      };
    });
  }

  #isFull(write: RunWrite): boolean {
    return this.#full || write.ref === undefined || write.columns.closeTime !== 0;
  }

  #group(index: number): void {
    const group = this.#groups[index] as CommitGroup;
    const places = this.#places[index] as number[];
    for (const write of group.writes) places.push(this.#write(write));
    const place = places[0] ?? 0;
    for (const id of group.doneTasks) this.#add({ dtWrite: place, dtId: id });
    for (const id of group.doneOutbox) this.#add({ doWrite: place, doId: id });
  }

  #write(write: RunWrite): number {
    const { columns, history } = write;
    const full = this.#isFull(write);
    const [at, length] = this.#slice(write.state);
    const place = this.#add({
      wRef: write.ref ?? 0,
      wExpected: write.expectedVersion,
      wFull: full,
      wFingerprint: fingerprintOf(columns),
      wWake: columns.wakeAt,
      wDelete: columns.deleteAt,
      wEvents: columns.historyEvents,
      wBytes: columns.historyBytes,
      wHolder: columns.holder,
      wToken: write.operationToken,
      wChecksum: crc32(write.state),
      wAt: at,
      wLength: length,
    });
    if (full) this.#visibility(write, columns, place);
    if (history !== undefined) {
      const [hAt, hLength] = this.#slice(history.bytes);
      this.#add({
        hWrite: place,
        hFirst: history.firstEventId,
        hNext: history.nextEventId,
        hChecksum: crc32(history.bytes),
        hAt,
        hLength,
      });
    }
    for (const task of write.tasks) {
      this.#add({
        tWrite: place,
        tNamespace: write.key.namespaceId,
        tKind: task.kind,
        tQueue: task.taskQueue,
        tNormal: task.normalTaskQueue,
        tScheduled: task.scheduledEventId,
        tStamp: task.stamp,
        tType: task.type,
        tCreated: task.createdAt,
      });
    }
    for (const bytes of write.outbox) {
      const [oAt, oLength] = this.#slice(bytes);
      this.#add({ oWrite: place, oAt, oLength });
    }
    for (const letter of write.mail) {
      const [mAt, mLength] = this.#slice(letter.bytes);
      this.#add({ mWrite: place, mProcess: letter.processId, mAt, mLength });
    }
    return place;
  }

  #visibility({ key, replaces }: RunWrite, columns: RunColumns, place: number): void {
    const [vMemoAt, vMemoLength] = this.#optionalSlice(columns.memo);
    const [vAttributesAt, vAttributesLength] = this.#optionalSlice(columns.searchAttributes);
    this.#add({
      vWrite: place,
      vNamespace: key.namespaceId,
      vWorkflow: key.workflowId,
      vRun: key.runId,
      vCurrent: replaces !== undefined,
      vReplaces: replaces ?? 0,
      vType: columns.workflowType,
      vQueue: columns.taskQueue,
      vStatus: columns.status,
      vStart: columns.startTime,
      vExecution: columns.executionTime,
      vClose: columns.closeTime,
      vParentWorkflow: columns.parentWorkflowId,
      vParentRun: columns.parentRunId,
      vRootWorkflow: ownOrNull(columns.rootWorkflowId, key.workflowId),
      vRootRun: ownOrNull(columns.rootRunId, key.runId),
      vFirstRun: ownOrNull(columns.firstRunId, key.runId),
      vMemoAt,
      vMemoLength,
      vAttributesAt,
      vAttributesLength,
      vValues: searchable(searchValuesJson(columns)),
    });
  }

  /** Adds a row of values to the arrays of those names; the number of rows they have now. */
  #add(row: Partial<Record<Name, Entry>>): number {
    let count = 0;
    for (const [name, value] of Object.entries(row)) {
      count = this.#rows[name as Name].push(value);
    }
    return count;
  }

  #slice(bytes: Uint8Array): readonly [number, number] {
    this.#bytes.push(bytes);
    const at = this.#size + 1;
    this.#size += bytes.length;
    return [at, bytes.length];
  }

  #optionalSlice(bytes: Uint8Array | undefined): readonly [number | null, number | null] {
    return bytes === undefined ? [null, null] : this.#slice(bytes);
  }
}

/** Updates by ref, then new runs by id: rows that several processes write are locked by all in the same order. */
function inOrder(groups: readonly CommitGroup[]): number[] {
  return [...groups.keys()].sort((a, b) => {
    const one = groups[a]?.writes[0];
    const other = groups[b]?.writes[0];
    if (one?.ref !== undefined && other?.ref !== undefined) return one.ref - other.ref;
    return (one?.ref ?? Infinity) === (other?.ref ?? Infinity)
      ? a - b
      : one?.ref === undefined
        ? 1
        : -1;
  });
}

/** As PostgreSQL reads an array. */
function arrayOf(entries: readonly Entry[]): string {
  let text = '{';
  for (const [index, entry] of entries.entries()) {
    if (index > 0) text += ',';
    if (entry === null) text += 'NULL';
    else if (typeof entry === 'string') text += `"${entry.replace(/["\\]/g, '\\$&')}"`;
    else text += entry;
  }
  return `${text}}`;
}

/** JSON of PostgreSQL has no NUL and no half of a surrogate pair; what is searched for has neither. */
function searchable(json: string | null): string | null {
  if (json === null || !/\\u(?:0000|d[89a-f])/i.test(json)) return json;
  return json.replace(
    /(\\\\)|\\u(?:0000|d[89a-f][0-9a-f]{2})/gi,
    (found, slash: string) => slash ?? '\ufffd',
  );
}
