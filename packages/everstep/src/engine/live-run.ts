/**
 * A run in memory: its state as last committed, the version that guards it, and the events seen since it was
 * loaded. A cache only: every commit is guarded by the version, so a stale one is found out and loaded again.
 */
import type { HistoryEvent } from '../core/proto.ts';
import type { RunState } from '../core/state.ts';
import type { RunColumns, RunKey, RunRef } from '../store/store.ts';
import type { Part } from './unit.ts';

export class LiveRun {
  readonly key: RunKey;
  /** Undefined until the first commit. */
  ref: RunRef | undefined;
  version = 0;
  /** Undefined until the first commit of a new run. */
  state: RunState | undefined;
  columns: RunColumns | undefined;
  /** Committed events from `tailFrom` on, without a gap. */
  tail: HistoryEvent[] = [];
  tailFrom = 1;
  /** What is being put together or committed for this run. */
  part: Part | undefined;
  /** A commit was lost or another process wrote: this object is not used again. */
  dropped = false;

  constructor(key: RunKey) {
    this.key = key;
  }

  /** The state as the next input will find it. */
  get latest(): RunState | undefined {
    return this.part?.state ?? this.state;
  }

  /** Events of the tail and of the part under construction, from that id on; undefined when the tail starts later. */
  eventsFrom(fromEventId: number): HistoryEvent[] | undefined {
    if (fromEventId < this.tailFrom) return undefined;
    const committed = this.tail.slice(fromEventId - this.tailFrom);
    if (!this.part || this.part.events.length === 0) return committed;
    const open = this.part.events;
    const skip = Math.max(0, fromEventId - (this.tailFrom + this.tail.length));
    return committed.concat(skip === 0 ? open : open.slice(skip));
  }
}

/** Least recently used runs leave first; one that is at work never does. */
export class LiveRuns {
  readonly #runs = new Map<string, LiveRun>();
  readonly #runsMax: number;

  constructor(runsMax: number) {
    this.#runsMax = runsMax;
  }

  get size(): number {
    return this.#runs.size;
  }

  get(runId: string): LiveRun | undefined {
    const run = this.#runs.get(runId);
    if (run) {
      this.#runs.delete(runId);
      this.#runs.set(runId, run);
    }
    return run;
  }

  add(run: LiveRun): void {
    this.#runs.set(run.key.runId, run);
    if (this.#runs.size <= this.#runsMax) return;
    for (const [runId, candidate] of this.#runs) {
      if (candidate.part) continue;
      this.#runs.delete(runId);
      if (this.#runs.size <= this.#runsMax) return;
    }
  }

  drop(run: LiveRun): void {
    run.dropped = true;
    if (this.#runs.get(run.key.runId) === run) this.#runs.delete(run.key.runId);
  }
}
