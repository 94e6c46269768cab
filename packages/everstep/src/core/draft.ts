/**
 * A transition under construction: a copy of the state that may be written, and what the commit will hold.
 *
 * A run's state is copied on write: the draft starts as a shallow copy, and each map is copied the first time a
 * family asks for it. So a refused transition is thrown away by dropping the draft, and a state that somebody
 * else still holds (a commit in flight, a cached run) never changes under them.
 *
 * A state that nobody else holds, because an earlier transition of the same commit made it, needs no copy: a draft
 * that is told what is committed writes on in the state itself, and copies only the maps it shares with that.
 */
import type { Limits } from './limits.ts';
import type { DispatchTask, Interrupt, OutboxMessage } from './input.ts';
import { InvariantViolation } from './invariant.ts';
import { EventType } from './proto.ts';
import type { EventAttributes, HistoryEvent, UserMetadata } from './proto.ts';
import type { RegisteredAttributes } from './search-attribute-type.ts';
import { copyOf, copyOfWorkflowTask } from './state.ts';
import type { RunState } from './state.ts';
import { longOf, timestampOf } from './time.ts';
import type { Transition } from './transition-result.ts';
import { unwrittenEvents } from './unwritten-task.ts';

export interface Random {
  /** In [0, 1). */
  next(): number;
  uuid(): string;
}

/** What a transition may know of the world. */
export interface CoreEnv {
  readonly now: number;
  readonly random: Random;
  readonly limits: Limits;
  /** By namespace id; absent where nothing is checked against a registry. */
  readonly registeredAttributes?:
    ((namespaceId: string) => RegisteredAttributes | undefined) | undefined;
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type MapField = {
  [K in keyof RunState]-?: RunState[K] extends
    ReadonlyMap<infer _K, infer _V> | ReadonlySet<infer _S>
    ? K
    : never;
}[keyof RunState];
type Owned<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : T extends ReadonlySet<infer S>
      ? Set<S>
      : never;

/** WT-33: events that are never held back while a workflow task is started, besides command events. */
const neverBuffered: ReadonlySet<EventType> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
  EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_TIMER_CANCELED,
  EventType.EVENT_TYPE_MARKER_RECORDED,
  EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
  EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
]);

export class Draft {
  /** Read freely; write scalar fields directly and map fields through `own`. */
  readonly state: Mutable<RunState>;
  readonly env: CoreEnv;
  readonly events: HistoryEvent[] = [];
  readonly tasks: DispatchTask[] = [];
  readonly outbox: OutboxMessage[] = [];
  readonly interrupts: Interrupt[] = [];
  /** The run that continues the chain (CN-1, CN-2, CN-3). */
  nextRun: Transition<{ readonly runId: string }> | undefined;
  /**
   * While the commands of a completed workflow task are applied: events that are no command events wait, as
   * they would while the task was started, so that command events stay together.
   */
  holdEvents = false;
  readonly #base: RunState;
  /** What the maps of `state` are shared with until they are written. */
  readonly #shared: RunState;
  /** What was buffered when this draft started. */
  readonly bufferedBefore: RunState['buffered'];
  #owns = false;
  #touched = false;

  /** With `committed`, `base` is its holder's own and is written in place; then there is no way back to it. */
  constructor(base: RunState, env: CoreEnv, committed?: RunState) {
    this.#base = base;
    this.bufferedBefore = base.buffered;
    this.#shared = committed ?? base;
    this.state = committed ? base : copyOf(base);
    this.env = env;
  }

  get now(): number {
    return this.env.now;
  }

  /** The state this draft started from. */
  get base(): RunState {
    return this.#base;
  }

  /** The map or set of that field, copied on first use, to be written. */
  own<F extends MapField>(field: F): Owned<RunState[F]> {
    this.#owns = true;
    if (this.state[field] === this.#shared[field]) {
      const value = this.state[field] as ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>;
      const copy = value instanceof Map ? new Map(value) : new Set(value as ReadonlySet<unknown>);
      (this.state as Record<string, unknown>)[field] = copy;
    }
    return this.state[field] as Owned<RunState[F]>;
  }

  /** Back to the state this draft started from, as if nothing had happened (WT-19). */
  rollBack(): void {
    if (this.state === this.#base) {
      throw new InvariantViolation('a state that was written in place cannot be taken back', {
        runId: this.state.runId,
      });
    }
    for (const field in this.state) {
      if (!(field in this.#base)) (this.state as Record<string, unknown>)[field] = undefined;
    }
    Object.assign(this.state, this.#base);
    this.#owns = false;
    this.#touched = false;
    this.events.length = 0;
    this.tasks.length = 0;
    this.outbox.length = 0;
    this.interrupts.length = 0;
    this.nextRun = undefined;
    this.holdEvents = false;
  }

  /** Says that the state changed without an event (a retry, a heartbeat, a started attempt). */
  touch(): void {
    this.#touched = true;
  }

  get changed(): boolean {
    return (
      this.#touched ||
      this.events.length > 0 ||
      this.#owns ||
      this.state.buffered !== this.bufferedBefore
    );
  }

  /**
   * Adds an event. While a workflow task is started, events that come from outside go to the buffer without an
   * id (WT-33); everything else gets the next id. State is not touched: that is the family's work.
   */
  add(
    eventType: EventType,
    attributes: EventAttributes,
    extra?: { userMetadata?: UserMetadata | null | undefined; links?: HistoryEvent['links'] },
  ): HistoryEvent {
    // The attributes are a literal of the caller's: they become the event.
    const event: HistoryEvent = attributes;
    event.eventTime = timestampOf(this.env.now);
    event.eventType = eventType;
    if (extra?.userMetadata) event.userMetadata = extra.userMetadata;
    if (extra?.links && extra.links.length > 0) event.links = extra.links;
    if (
      (this.holdEvents || (this.state.workflowTask?.startedEventId ?? 0) !== 0) &&
      !neverBuffered.has(eventType)
    ) {
      this.state.buffered = [...this.state.buffered, event];
    } else {
      this.append(event);
    }
    return event;
  }

  /** Puts an event into the batch, past the buffer; a speculative task's events come before it (WT-37). */
  append(event: HistoryEvent): HistoryEvent {
    this.writeSpeculative();
    return this.#number(event);
  }

  /** WT-37: the pending speculative task, if there is one, is a normal one from now on, and its events are written. */
  writeSpeculative(): void {
    const task = this.state.workflowTask;
    if (task?.kind !== 'speculative') return;
    if (task.scheduledEventId !== this.state.nextEventId) {
      throw new InvariantViolation('an event has the id of a speculative workflow task', {
        runId: this.state.runId,
        eventId: task.scheduledEventId,
      });
    }
    const normal = copyOfWorkflowTask(task);
    normal.kind = 'normal';
    this.state.workflowTask = normal;
    for (const event of unwrittenEvents(task, this.state.taskQueue)) this.#number(event);
  }

  #number(event: HistoryEvent): HistoryEvent {
    event.eventId = longOf(this.state.nextEventId);
    this.state.nextEventId += 1;
    this.events.push(event);
    return event;
  }
}
