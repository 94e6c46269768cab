/**
 * The queue in front of the store: units that are ready at the end of a turn are written together, and their
 * replies leave when the write is done. No timer waits for more: concurrency makes the batches.
 */
import type { OutboxMessage } from '../core/input.ts';
import { encodeState } from '../core/state-codec.ts';
import type { Clock } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import { ServiceError, storeFailedForGood } from '../service/service-error.ts';
import type {
  CommitGroup,
  CommitResult,
  JoinedStore,
  MailInsert,
  RunRef,
  RunWrite,
} from '../store/store.ts';
import { columnsOf } from './columns.ts';
import type { LiveRun } from './unit.ts';
import { encodeMail } from './mail.ts';
import { encodeOutbox } from './outbox-codec.ts';
import { readBack } from './read-back.ts';
import { serviceErrorOf } from './store-trouble.ts';
import { startsIn, type UncertainStarts } from './uncertain-starts.ts';
import { encodeNewEvents } from './unit.ts';
import type { Part, Request, Unit } from './unit.ts';

/** Units that share one write at most; storage.md: past 100–200 nothing is gained. */
const unitsMax = 200;

export interface CommittedRun {
  readonly run: LiveRun;
  readonly part: Part;
  readonly outboxIds: readonly number[];
}

export interface GroupCommitOptions {
  readonly store: JoinedStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly processId: string;
  readonly retentionMs: (namespaceId: string) => number;
  /** After each write, for those who look for work, events and deadlines. */
  readonly onWritten: (committed: readonly CommittedRun[]) => void;
  /** After a write that failed. */
  readonly onFailed: () => void;
  /** It is not known whether this was written, and these attempts started with it. */
  readonly onUncertain: (starts: readonly UncertainStarts[]) => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Unit[] = [];
  #scheduled = false;
  #writing: Promise<void> | undefined;
  #operations = 0;
  #closed = false;
  onCommitted: ((run: LiveRun, waiting: readonly Request[]) => void) | undefined;
  onLost:
    | ((
        unit: Unit,
        waiting: readonly { readonly run: LiveRun; readonly request: Request }[],
      ) => void)
    | undefined;
  onDropped: ((run: LiveRun) => void) | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  add(unit: Unit): void {
    if (unit.queued) return;
    unit.queued = true;
    this.#queue.push(unit);
    this.#schedule();
  }

  /** Resolves when everything queued so far is written. */
  async idle(): Promise<void> {
    while (this.#queue.length > 0 || this.#writing) {
      if (this.#writing) await this.#writing;
      else await this.#flush();
    }
  }

  /** Resolves when all is written that ever will be. */
  async close(): Promise<void> {
    while (this.#queue.length > 0 || this.#writing) await this.idle();
    this.#closed = true;
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing || this.#queue.length === 0) return;
    this.#scheduled = true;
    this.#options.clock.endOfTurn(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  #flush(): Promise<void> {
    if (this.#writing) return this.#writing;
    if (this.#queue.length === 0) return Promise.resolve();
    const units = this.#queue.length <= unitsMax ? this.#queue : this.#queue.slice(0, unitsMax);
    this.#queue = this.#queue.length <= unitsMax ? [] : this.#queue.slice(unitsMax);
    this.#writing = this.#write(units).finally(() => {
      this.#writing = undefined;
      this.#schedule();
    });
    return this.#writing;
  }

  async #write(units: readonly Unit[]): Promise<void> {
    const now = this.#options.clock.now();
    const written: Unit[] = [];
    const groups: CommitGroup[] = [];
    const unchanged: Unit[] = [];
    for (const unit of units) {
      unit.phase = 'committing';
      if (!unit.parts.some((part) => part.changed)) {
        unchanged.push(unit);
        continue;
      }
      try {
        groups.push(this.#group(unit, now));
        written.push(unit);
      } catch (error) {
        this.#options.logger.error('A transition could not be encoded', { error });
        this.#fail(unit, error);
      }
    }
    if (groups.length > 0) {
      let results: readonly CommitResult[];
      try {
        if (this.#closed)
          throw new ServiceError({ code: 'UNAVAILABLE', message: 'The engine is stopped.' });
        results = await this.#options.store.commit(groups);
      } catch (error) {
        this.#options.onFailed();
        results = await this.#readBack(written, groups, error);
      }
      this.#settle(written, groups, results);
    }
    if (unchanged.length > 0) await this.#settleUnchanged(unchanged);
  }

  /** The results of groups that were written although their commit failed; units of the others fail. */
  async #readBack(
    units: Unit[],
    groups: CommitGroup[],
    error: unknown,
  ): Promise<readonly CommitResult[]> {
    const results: CommitResult[] = [];
    const closed = this.#closed || this.#options.store.failure !== undefined;
    for (const [index, group] of [...groups.entries()].toReversed()) {
      const result = closed ? undefined : await readBack(this.#options.store, group);
      if (typeof result === 'object') {
        results.unshift(result);
        continue;
      }
      groups.splice(index, 1);
      const [unit] = units.splice(index, 1);
      if (!unit) continue;
      const starts = result === 'unknown' ? startsIn(unit, this.#options.processId) : [];
      this.#fail(unit, error);
      this.#options.onUncertain(starts);
    }
    return results;
  }

  #group(unit: Unit, now: number): CommitGroup {
    const writes: RunWrite[] = [];
    let reads: { ref: RunRef; expectedVersion: number }[] | undefined;
    for (const part of unit.parts) {
      const { ref, version } = part.run;
      if (part.changed) writes.push(this.#runWrite(part, now));
      // A decision of the unit may rest on it: a reset copies what the current run has.
      else if (ref !== undefined) (reads ??= []).push({ ref, expectedVersion: version });
    }
    const { doneTasks, doneOutbox } = unit;
    return { writes, reads, doneTasks, doneOutbox, now };
  }

  #runWrite(part: Part, now: number): RunWrite {
    const { run } = part;
    encodeNewEvents(part);
    const { state, encoded } = part;
    const bytes = encoded.length > 1 ? Buffer.concat(encoded) : encoded[0];
    const open = state.closeTime === 0;
    part.columns = columnsOf(state, run.columns, now, this.#options.retentionMs(state.namespaceId));
    this.#operations += 1;
    return {
      key: run.key,
      ref: run.ref,
      expectedVersion: run.version,
      operationToken: `${this.#options.processId}:${this.#operations}`,
      replaces: part.replaces === undefined ? undefined : refOf(part.replaces),
      state: encodeState(state),
      columns: part.columns,
      history: bytes && {
        firstEventId: state.nextEventId - part.events.length,
        nextEventId: state.nextEventId,
        bytes,
      },
      // Whoever took a task of a closed run would only find it gone.
      tasks: open ? part.tasks : [],
      outbox:
        part.outbox.length === 0
          ? []
          : part.outbox.map((message: OutboxMessage) => encodeOutbox(message)),
      mail: this.#mail(part),
    };
  }

  #mail(part: Part): readonly MailInsert[] {
    if (part.interrupts.length === 0) return [];
    const mail: MailInsert[] = [];
    for (const interrupt of part.interrupts) {
      if (interrupt.processId === this.#options.processId) continue;
      mail.push({
        processId: interrupt.processId,
        bytes: encodeMail({ kind: 'interrupt', runId: part.run.key.runId, ...interrupt }),
      });
    }
    return mail;
  }

  #settle(
    units: readonly Unit[],
    groups: readonly CommitGroup[],
    results: readonly CommitResult[],
  ): void {
    const committed: CommittedRun[] = [];
    const settled: Unit[] = [];
    for (const [index, result] of results.entries()) {
      const unit = units[index];
      const group = groups[index];
      if (!unit || !group) continue;
      if (result.outcome === 'conflict') {
        this.#lose(unit);
      } else if (result.outcome === 'failed') {
        this.#options.logger.error('A commit failed', { error: result.error });
        this.#options.onFailed();
        this.#fail(unit, result.error);
      } else {
        let write = 0;
        for (const part of unit.parts) {
          if (!part.changed) {
            part.run.part = undefined;
            continue;
          }
          this.#committed(part, result.refs[write]);
          committed.push({ run: part.run, part, outboxIds: result.outboxIds[write] ?? [] });
          write += 1;
        }
        unit.phase = 'done';
        settled.push(unit);
      }
    }
    for (const unit of settled) this.#done(unit);
    if (committed.length > 0) this.#options.onWritten(committed);
  }

  #committed(part: Part, ref: RunRef | undefined): void {
    const { run } = part;
    run.ref = run.ref ?? ref;
    run.version += 1;
    run.state = part.state;
    run.columns = part.columns;
    run.part = undefined;
    run.keepTail(part);
  }

  /** Replies, then what follows the commit, then what waited for it. */
  #done(unit: Unit): void {
    for (const { request, outcome } of unit.requests) request.settle(outcome);
    for (const follow of unit.afterCommit) follow();
    for (const part of unit.parts) {
      if (part.waiting.length > 0) this.onCommitted?.(part.run, part.waiting);
    }
  }

  /** Nothing to write: the answers hold if nobody else has written meanwhile. */
  async #settleUnchanged(units: readonly Unit[]): Promise<void> {
    const refs = new Set<RunRef>();
    for (const unit of units) {
      for (const part of unit.parts) if (part.run.ref !== undefined) refs.add(part.run.ref);
    }
    const settled: Unit[] = [];
    const stale: Unit[] = [];
    try {
      const heads = await this.#options.store.runs.heads({ refs: [...refs] });
      const versions = new Map(heads.map((head) => [head.ref, head.version]));
      for (const unit of units) {
        const holds = unit.parts.every(
          ({ run }) => run.ref === undefined || versions.get(run.ref) === run.version,
        );
        (holds ? settled : stale).push(unit);
      }
      // A row that an old state refused is not void: it stays until its start has been applied again.
      const rows = settled.flatMap((unit) => unit.doneTasks);
      if (rows.length > 0) await this.#options.store.tasks.delete({ taskIds: rows });
      const messages = settled.flatMap((unit) => unit.doneOutbox);
      if (messages.length > 0) await this.#options.store.outbox.delete({ outboxIds: messages });
    } catch (error) {
      this.#options.onFailed();
      for (const unit of units) this.#fail(unit, error);
      return;
    }
    for (const unit of stale) this.#lose(unit);
    for (const unit of settled) {
      unit.phase = 'done';
      for (const part of unit.parts) {
        part.run.part = undefined;
        // A new run whose start was refused never was.
        if (part.run.ref === undefined) this.onDropped?.(part.run);
      }
      this.#done(unit);
    }
  }

  #lose(unit: Unit): void {
    const waiting = this.#abandon(unit);
    this.onLost?.(unit, waiting);
  }

  #fail(unit: Unit, error: unknown): void {
    const waiting = this.#abandon(unit);
    const { failure } = this.#options.store;
    const answer = failure ? storeFailedForGood(failure) : serviceErrorOf(error);
    for (const undo of unit.onLost) undo();
    for (const part of unit.parts) this.onDropped?.(part.run);
    for (const { request } of unit.requests) request.settle({ ok: false, error: answer });
    for (const { request } of waiting) request.settle({ ok: false, error: answer });
  }

  #abandon(unit: Unit): { run: LiveRun; request: Request }[] {
    unit.phase = 'done';
    unit.lost = true;
    const waiting: { run: LiveRun; request: Request }[] = [];
    for (const part of unit.parts) {
      part.run.part = undefined;
      for (const request of part.waiting) waiting.push({ run: part.run, request });
    }
    return waiting;
  }
}

function refOf(replaces: LiveRun | RunRef | null): RunRef | null {
  if (replaces === null || typeof replaces === 'number') return replaces;
  return replaces.ref ?? null;
}
