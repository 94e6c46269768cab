/**
 * Runs in memory and what is being done to them. A unit is what will be one commit: the parts of one or more runs
 * that change together, the replies that wait for it, and what happens after it.
 */
import type { Mutable } from '../core/draft.ts';
import { encodeBatch } from '../core/history-batch.ts';
import type { Input, Interrupt, OutboxMessage } from '../core/input.ts';
import type { HistoryEvent } from '../core/proto.ts';
import type { Refusal } from '../core/refusal.ts';
import type { RunState } from '../core/state.ts';
import type { RunColumns, RunKey, RunRef, TaskInsert } from '../store/store.ts';

/** A run's newest committed events kept in memory at most. */
const tailEventsMax = 1_000;

/**
 * A run in memory: its state as last committed, the version that guards it, and the events that its worker has not
 * seen yet. A cache only: every commit is guarded by the version, so a stale one is found out and loaded again.
 */
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
  /** The scheduled events of steps that wait in a queue, by id: whoever starts one needs it. */
  readonly waitingSteps = new Map<number, HistoryEvent>();
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

  /**
   * Takes over the events of a part that was committed. Those before the last workflow task that was completed go:
   * a worker that holds the run has them, and who needs the whole history reads it from the store.
   */
  keepTail(part: Part): void {
    const { nextEventId, lastCompletedStartedEventId } = part.state;
    const events = part.events;
    const from = Math.max(lastCompletedStartedEventId + 1, nextEventId - tailEventsMax);
    const firstNew = nextEventId - events.length;
    if (from >= firstNew) this.tail = events.slice(from - firstNew);
    else this.tail = this.tail.slice(Math.max(0, from - this.tailFrom)).concat(events);
    this.tailFrom = nextEventId - this.tail.length;
    this.#keepWaitingSteps(part, firstNew);
  }

  #keepWaitingSteps({ state, events, tasks }: Part, firstNew: number): void {
    for (const { kind, scheduledEventId } of tasks) {
      const event = kind === 'activity' ? events[scheduledEventId - firstNew] : undefined;
      if (event) this.waitingSteps.set(scheduledEventId, event);
    }
    if (this.waitingSteps.size <= state.activities.size) return;
    for (const id of this.waitingSteps.keys()) {
      if (!state.activities.has(id)) this.waitingSteps.delete(id);
    }
  }

  /** One event, where it is in memory. */
  event(eventId: number): HistoryEvent | undefined {
    const committed = this.tail.length;
    const index = eventId - this.tailFrom;
    if (index < 0) return this.waitingSteps.get(eventId);
    return index < committed ? this.tail[index] : this.part?.events[index - committed];
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

/** One run's share of a unit. */
export interface Part {
  readonly run: LiveRun;
  readonly unit: Unit;
  state: RunState;
  /** A new run before its first transition. */
  fresh: boolean;
  readonly events: HistoryEvent[];
  /** Those of its first events that are encoded, and how many they are (encodeNewEvents). */
  readonly encoded: Uint8Array[];
  encodedEvents: number;
  readonly tasks: TaskInsert[];
  readonly outbox: OutboxMessage[];
  readonly interrupts: Interrupt[];
  /** Requests that came while this part was being committed. */
  readonly waiting: Request[];
  /** For a new run: what it must find as its workflow id's current run; undefined: it does not become current. */
  replaces?: LiveRun | RunRef | null;
  /** Made when the write is, kept by the run once committed. */
  columns?: RunColumns;
  /** Some transition changed the state, or the columns must be written again. */
  changed: boolean;
}

/**
 * Encodes the events that are not encoded yet, so that the state knows the size of its history with them. The part
 * owns its state: a transition that made events made it.
 */
export function encodeNewEvents(part: Part): void {
  const { events, encoded, encodedEvents } = part;
  if (encodedEvents === events.length) return;
  const bytes = encodeBatch(encodedEvents === 0 ? events : events.slice(encodedEvents));
  encoded.push(bytes);
  part.encodedEvents = events.length;
  (part.state as Mutable<RunState>).historyBytes += bytes.length;
}

/** An input and whoever waits for its answer; applied again when the commit is lost. */
export interface Request {
  readonly input: Input;
  /** Called once, after the commit that holds the effect (or with the refusal). */
  readonly settle: (outcome: RequestOutcome) => void;
  /** Rows used up by this request, deleted in its commit. */
  readonly doneTask?: number;
  readonly doneOutbox?: number;
  /** The unit's `restart` makes this request again. */
  readonly madeByRestart?: boolean;
  /** Called inside the open part, each time the input has been applied. */
  readonly onApplied?: (part: Part, outcome: RequestOutcome) => void;
  /** Commits lost so far. */
  readonly conflicts?: number;
  /**
   * For what a local worker made of a task: the unit in which the task was started. When that very unit is lost
   * the worker's answer is lost with it; when a later one is, the answer is given again.
   */
  readonly handedOverIn?: Unit;
}

export type RequestOutcome =
  | { readonly ok: true; readonly value: unknown; readonly run: LiveRun }
  | { readonly ok: false; readonly refusal: Refusal }
  | { readonly ok: false; readonly error: unknown };

export interface Unit {
  readonly parts: Part[];
  readonly doneTasks: number[];
  readonly doneOutbox: number[];
  /** Requests whose effect is in this unit, to be redone on a conflict, with their outcomes. */
  readonly requests: {
    readonly request: Request;
    readonly run: LiveRun;
    outcome: RequestOutcome;
  }[];
  /** Things to do once it is committed. */
  readonly afterCommit: (() => void)[];
  /** Things to undo when it is not. */
  readonly onLost: (() => void)[];
  /** How a unit that starts runs is made again from scratch after a conflict. */
  restart?: () => void;
  /** Steps that ended in this unit: what follows from them may take their places before the queue does. */
  placesLeft: number;
  queued: boolean;
  phase: 'open' | 'committing' | 'done';
  /** Its commit was lost or failed: nothing in it happened. */
  lost: boolean;
}

export function newUnit(): Unit {
  return {
    parts: [],
    doneTasks: [],
    doneOutbox: [],
    requests: [],
    afterCommit: [],
    onLost: [],
    placesLeft: 0,
    queued: false,
    phase: 'open',
    lost: false,
  };
}

/** When a unit is committed or lost. */
export function settled(unit: Unit): Promise<void> {
  if (unit.phase === 'done') return Promise.resolve();
  return new Promise((resolve) => {
    unit.afterCommit.push(resolve);
    unit.onLost.push(resolve);
  });
}
