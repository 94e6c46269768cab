/**
 * All that was ever written in a world, told commit by commit, and the checks that come with each of them
 * (invariants 4, 16, 18, and those of a run's history and state).
 */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { decodeBatch } from '../../src/core/history-batch.ts';
import { isOpen } from '../../src/core/state.ts';
import type { RunState } from '../../src/core/state.ts';
import { decodeState } from '../../src/core/state-codec.ts';
import { msOfTimestamp, numberOf } from '../../src/core/time.ts';
import type { MemoryData } from '../../src/store/memory/memory-data.ts';
import type { CommitGroup, RunRef, RunWrite } from '../../src/store/store.ts';
import { checkBatch } from './batch-check.ts';
import { RunRecord } from './run-record.ts';
import { checkSchedule } from './schedule-check.ts';
import {
  checkBuffer,
  checkClosedChildren,
  checkRebuilt,
  checkRows,
  checkUniqueIds,
  checkWakeAt,
} from './state-check.ts';

export interface Violation {
  readonly invariant: number;
  readonly what: string;
}

export interface ArchiveWorld {
  readonly data: MemoryData;
  /** What no clock of the world has shown yet is in the future. */
  latest(): number;
  elapsed(): number;
  trace(line: () => string): void;
  violated(violation: Violation): void;
}

/** A run is rebuilt from its history at one commit in so many, and when it has closed. */
const rebuiltEvery = 16;

export class Archive {
  readonly runs = new Map<RunRef, RunRecord>();
  readonly byRunId = new Map<string, RunRecord>();
  readonly byWorkflowId = new Map<string, RunRecord[]>();
  readonly #world: ArchiveWorld;
  /** Workflow ids of whose activities somebody has asked for a reset or other options; * = of all. */
  readonly #operated = new Set<string>();
  readonly #attemptsAsked = new Map<string, number>();
  /** Actions of schedules, and what they have started. */
  readonly #actions = new Map<string, string>();
  commits = 0;
  events = 0;

  constructor(world: ArchiveWorld) {
    this.#world = world;
  }

  /** Workflow ids whose open run has a workflow task that failed before: what comes now meets the rules of that. */
  troubled(): readonly string[] {
    return [...this.runs.values()]
      .filter(({ state, closedAt }) => closedAt === 0 && (state?.workflowTaskAttempt ?? 0) > 1)
      .map(({ key }) => key.workflowId);
  }

  /** Runs of workflows that are open. */
  openWorkflows(): readonly RunRecord[] {
    return [...this.runs.values()].filter(
      ({ state, closedAt, deleted }) =>
        closedAt === 0 && !deleted && state !== undefined && !isOfSystem(state),
    );
  }

  /** Workflow ids whose open run has no workflow task, once one was completed: an update has one for itself there. */
  resting(): readonly string[] {
    return this.openWorkflows()
      .filter(({ state }) => !state?.workflowTask && (state?.lastCompletedStartedEventId ?? 0) > 0)
      .map(({ key }) => key.workflowId);
  }

  operated(workflowId: string, attempts = Infinity): void {
    this.#operated.add(workflowId);
    const asked = this.#attemptsAsked.get(workflowId) ?? Infinity;
    this.#attemptsAsked.set(workflowId, Math.min(asked, attempts));
  }

  isOperated(workflowId: string): boolean {
    return this.#operated.has('*') || this.#operated.has(workflowId);
  }

  recordsOf(workflowId: string): readonly RunRecord[] {
    return this.byWorkflowId.get(workflowId) ?? [];
  }

  deleted(refs: readonly RunRef[]): void {
    for (const ref of refs) {
      const record = this.runs.get(ref);
      if (record) record.deleted = true;
    }
    this.#world.trace(() => `delete ${refs.join(' ')}`);
  }

  committed(group: CommitGroup, refs: readonly RunRef[]): void {
    this.commits += 1;
    const written: RunRecord[] = [];
    for (const [index, write] of group.writes.entries()) {
      written.push(this.#written(write, refs[index] as RunRef));
    }
    for (const record of written) {
      this.#checkAction(record);
      this.#checkOneOpen(record);
      this.#checkStart(record);
      this.#checkChain(record, written);
      checkRows(record.state as never, record.ref, this.#world.data, (invariant, what) => {
        this.#complain(record, invariant, what);
      });
    }
  }

  #complain(record: RunRecord, invariant: number, what: string): void {
    this.#world.violated({ invariant, what: `${record.name}: ${what}` });
  }

  /** A batch that ended and was deleted is made anew by a caller who was slow, and goes to the same runs. */
  #isOfLaterJob({ workflowExecutionSignaledEventAttributes: signaled }: HistoryEvent): boolean {
    const job = this.byRunId.get(signaled?.requestId?.split(':')[0] ?? '');
    if (!job?.state?.batch) return false;
    return this.recordsOf(job.key.workflowId).some((other) => other !== job && other.deleted);
  }

  #written(write: RunWrite, ref: RunRef): RunRecord {
    const world = this.#world;
    let record = this.runs.get(ref);
    if (!record) {
      const made: RunRecord = new RunRecord(ref, write.key, (invariant, what) => {
        this.#complain(made, invariant, what);
      });
      record = made;
      this.runs.set(ref, record);
      this.byRunId.set(write.key.runId, record);
      const { workflowId } = write.key;
      const others = this.byWorkflowId.get(workflowId);
      if (others) others.push(record);
      else this.byWorkflowId.set(workflowId, [record]);
    }
    const complain = (invariant: number, what: string): void => {
      this.#complain(made, invariant, what);
    };
    const made = record;
    const stored = world.data.runs.get(ref)?.version;
    if (write.expectedVersion !== record.version || stored !== record.version + 1) {
      complain(18, `version ${record.version} becomes ${stored} by ${write.expectedVersion} + 1`);
    }
    record.version += 1;
    const before = record.state;
    const state = decodeState(write.state, { ...write.key, ...write.columns });
    if (write.history) {
      const { firstEventId, bytes } = write.history;
      if (firstEventId !== record.events.length + 1) {
        complain(1, `a batch begins at ${firstEventId} after ${record.events.length} events`);
      }
      for (const event of decodeBatch(bytes)) {
        record.history.attemptsAsked = this.#attemptsAsked.get(write.key.workflowId) ?? Infinity;
        record.add(event, this.isOperated(write.key.workflowId), this.#isOfLaterJob(event));
        this.events += 1;
        if (msOfTimestamp(event.eventTime) > world.latest() + 1) {
          complain(13, `event ${numberOf(event.eventId)} is of a time that has not come`);
        }
      }
    }
    record.state = state;
    record.columns = write.columns;
    if (state.nextEventId !== record.events.length + 1) {
      complain(1, `the state says ${state.nextEventId} after ${record.events.length} events`);
    }
    if (!isOpen(state) !== record.history.closed && !isOfSystem(state)) {
      complain(1, `its status is ${state.status}, its history says otherwise`);
    }
    if (!isOpen(state) && record.closedAt === 0) record.closedAt = Math.max(world.elapsed(), 0.001);
    if (before && isOpen(before))
      checkClosedChildren(state, write.outbox, record.events.at(-1), complain);
    checkBuffer(state, complain);
    checkUniqueIds(state, complain);
    checkWakeAt(state, write.columns, complain);
    const operated = this.isOperated(write.key.workflowId);
    record.noteOptions(before, state, operated);
    checkSchedule(before, state, complain);
    checkBatch(before, state, (workflowId) => this.recordsOf(workflowId), complain);
    if (!isOfSystem(state) && (record.closedAt > 0 || this.commits % rebuiltEvery === 0)) {
      checkRebuilt(state, record.events, record.reoptioned, complain);
    }
    world.trace(
      () =>
        `commit ${made.name} v${made.version} ${state.status} ${state.nextEventId} ${write.columns.wakeAt}`,
    );
    return record;
  }

  /** 4: one open run a workflow id. */
  #checkOneOpen(record: RunRecord): void {
    if (!record.state || !isOpen(record.state)) return;
    for (const other of this.recordsOf(record.key.workflowId)) {
      if (other === record || other.deleted || !other.state || !isOpen(other.state)) continue;
      this.#complain(record, 4, `is open, and so is ${other.name}`);
    }
  }

  /** 21: an action of a schedule starts one chain. */
  #checkAction(record: RunRecord): void {
    const by = record.state?.scheduledBy;
    if (record.version !== 1 || !by || record.state?.firstRunId !== record.key.runId) return;
    const action = `${by.runId}/${by.actionId}`;
    if (this.#actions.has(action)) {
      this.#complain(record, 21, `is started by ${action}, as ${this.#actions.get(action)} was`);
    }
    this.#actions.set(action, record.name);
  }

  /** 9: a start whose request made the workflow id's current run makes no other (ID-1). */
  #checkStart(record: RunRecord): void {
    if (record.version !== 1) return;
    const others = this.recordsOf(record.key.workflowId);
    const current = others.findLast((other) => other.ref < record.ref);
    // With its last run a workflow id forgets its requests.
    if (current?.deleted === true) return;
    const same = current?.state?.createRequestId === record.state?.createRequestId;
    // Told by the request itself, too: its id might get lost on its way.
    const starter = starterOf(record);
    if (!same && (starter === undefined || starter !== (current && starterOf(current)))) return;
    this.#complain(record, 9, `is made by the request that made ${current?.name}`);
  }

  /** 16: the run that a close names is made in the commit of the close, and no other run says it continues one. */
  #checkChain(record: RunRecord, written: readonly RunRecord[]): void {
    const { state, events, version } = record;
    if (state?.newRunId && record.closedAt === this.#world.elapsed()) {
      const next = this.byRunId.get(state.newRunId);
      if (!next) this.#complain(record, 16, `names ${state.newRunId}, which is not there`);
    }
    const started = events[0]?.workflowExecutionStartedEventAttributes;
    const continued = started?.continuedExecutionRunId;
    if (version !== 1 || !continued) return;
    const before = this.byRunId.get(continued);
    const reset = events.some(
      (event) => event.workflowTaskFailedEventAttributes?.newRunId === record.key.runId,
    );
    if (reset) return;
    if (!before || !written.includes(before) || before.state?.newRunId !== record.key.runId) {
      this.#complain(record, 16, `says it continues ${continued}, which did not name it`);
    }
  }
}

/** A schedule and a batch operation are runs without events. */
function isOfSystem({ schedule, batch }: RunState): boolean {
  return schedule !== undefined || batch !== undefined;
}

/** The token with which a client has signed the start of this run; of a run that follows from another, none. */
function starterOf({ events, key }: RunRecord): string | undefined {
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  if (!started?.identity?.startsWith('start-') || started.continuedExecutionRunId) return undefined;
  const reset = events.some(
    ({ workflowTaskFailedEventAttributes: failed }) => failed?.newRunId === key.runId,
  );
  return reset ? undefined : started.identity;
}
