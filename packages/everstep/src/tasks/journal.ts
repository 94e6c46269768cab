/**
 * The keyed journal (decision 7): what a run's history answers to the keys that its code asks for, and which
 * commands are owed to it. A key is matched by name, whatever its place; answers are delivered in the history's
 * order. The journal knows nothing of generators: whoever asks is a Waiter.
 *
 * Two passes over new events: `index` learns which keys the history holds, `apply` delivers one event.
 * Read next: coroutine.ts, run.ts.
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { StepDescriptor } from './definition.ts';
import { numberOf } from './int64.ts';
import { TaskCodeError } from './task-errors.ts';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** Who waits for an answer. May be called while its question is being asked. */
export interface Waiter {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** How an entry's closing event becomes a value or an error for its waiter. */
export interface Answers {
  /** Throws TaskCodeError when the payload cannot be read. */
  deliver(entry: Entry, event: HistoryEvent): void;
  deliverSignal(wait: SignalWait, event: HistoryEvent): void;
}

export type EntryKind = 'step' | 'sleep';

/** A key, asked for by the code or held by the history or both. */
/** What the history says of a step when it was scheduled. */
export type ActivityScheduled = NonNullable<HistoryEvent['activityTaskScheduledEventAttributes']>;

export class Entry {
  readonly kind: EntryKind;
  /** The id on the wire: `resize`, `resize#2`, `sleep#1`. */
  readonly id: string;
  /** Without the number. */
  readonly key: string;
  /** 0 while the history does not hold it. Of several (after a reset), the last. */
  scheduledEventId = 0;
  activityType = '';
  /** Of a step that has not completed: as it was scheduled. */
  scheduled: ActivityScheduled | undefined;
  /** Id of the event that closed it, once its turn has come; 0 before. */
  closedEventId = 0;
  completed = false;
  /** That event, until the code has its answer. */
  closed: HistoryEvent | undefined;
  asked = false;
  /** The code has its answer, or has given it up. */
  done = false;
  waiter: Waiter | undefined;
  shielded = false;
  /** Of a step: what to run. Kept until the code has its answer. */
  descriptor: StepDescriptor | undefined;
  /** Of a sleep. */
  durationMs = 0;
  /** The payload itself is the answer, not what it decodes to. */
  raw = false;
  cancelRecorded = false;
  /** Of an unnumbered key: how often it was asked, and the entry of the last time. */
  rounds = 1;
  latest: Entry = this;

  constructor(kind: EntryKind, id: string, key: string) {
    this.kind = kind;
    this.id = id;
    this.key = key;
  }
}

export class SignalWait {
  readonly name: string;
  readonly key: string | undefined;
  readonly waiter: Waiter;
  readonly shielded: boolean;

  constructor(name: string, key: string | undefined, waiter: Waiter, shielded: boolean) {
    this.name = name;
    this.key = key;
    this.waiter = waiter;
    this.shielded = shielded;
  }
}

export type Wait = Entry | SignalWait;

interface SignalBox {
  readonly events: HistoryEvent[];
  readonly waits: SignalWait[];
  handler: ((event: HistoryEvent) => void) | undefined;
}

const keyBytesMax = 900;

export class Journal {
  readonly steps = new Map<string, Entry>();
  readonly timers = new Map<string, Entry>();
  readonly #byEventId = new Map<number, Entry>();
  readonly #signals = new Map<string, SignalBox>();
  /** What the code waits for, in the order it asked. */
  readonly waits = new Set<Wait>();
  readonly #answers: Answers;
  readonly #voidsFailures: boolean;
  /** Asked, and not in the history: owed as commands. */
  #fresh: Entry[] = [];
  #cancels: Entry[] = [];
  #sleeps = 0;
  #lastResetEventId = 0;
  /** Some workflow task was completed. */
  everCompleted = false;
  /** When the first step started, ms since the epoch as the wire's timestamp; undefined while none has. */
  firstStartedAt: HistoryEvent['eventTime'];

  /** @param voidsFailures A reset is a retry: what had failed before it is asked again. */
  constructor(answers: Answers, voidsFailures: boolean) {
    this.#answers = answers;
    this.#voidsFailures = voidsFailures;
  }

  /** Learns which keys these events hold. Harmless when events come twice. */
  index(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      switch (event.eventType) {
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
          const scheduled = event.activityTaskScheduledEventAttributes;
          const entry = this.#held(this.steps, 'step', scheduled?.activityId ?? '', event);
          entry.activityType = scheduled?.activityType?.name ?? '';
          entry.scheduled = scheduled ?? undefined;
          break;
        }
        case EventType.EVENT_TYPE_TIMER_STARTED:
          this.#held(this.timers, 'sleep', event.timerStartedEventAttributes?.timerId ?? '', event);
          break;
        case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: {
          const id = event.activityTaskCancelRequestedEventAttributes?.scheduledEventId;
          const entry = this.#byEventId.get(numberOf(id));
          if (entry && entry.scheduledEventId === numberOf(id)) entry.cancelRecorded = true;
          break;
        }
        case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
          this.everCompleted = true;
          break;
        case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
          if (
            event.workflowTaskFailedEventAttributes?.cause ===
            WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
          ) {
            this.#lastResetEventId = numberOf(event.eventId);
          }
          break;
        default:
      }
    }
  }

  #held(entries: Map<string, Entry>, kind: EntryKind, id: string, event: HistoryEvent): Entry {
    let entry = entries.get(id);
    if (entry === undefined) {
      entry = new Entry(kind, id, baseKey(id));
      entries.set(id, entry);
    }
    const eventId = numberOf(event.eventId);
    if (eventId > entry.scheduledEventId) {
      entry.scheduledEventId = eventId;
      entry.cancelRecorded = false;
    }
    this.#byEventId.set(eventId, entry);
    return entry;
  }

  /** Delivers one event to whoever waits for it. Signals and closes only; the rest is not the journal's. */
  apply(event: HistoryEvent): void {
    switch (event.eventType) {
      case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        this.#close(event.activityTaskCompletedEventAttributes?.scheduledEventId, event);
        break;
      case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: {
        const failed = event.activityTaskFailedEventAttributes;
        const byReset = failed?.failure?.resetWorkflowFailureInfo;
        this.#closeBadly(failed?.scheduledEventId, event, Boolean(byReset));
        break;
      }
      case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
        this.#closeBadly(event.activityTaskTimedOutEventAttributes?.scheduledEventId, event, false);
        break;
      case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
        this.#closeBadly(event.activityTaskCanceledEventAttributes?.scheduledEventId, event, false);
        break;
      case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        this.firstStartedAt ??= event.eventTime;
        break;
      case EventType.EVENT_TYPE_TIMER_FIRED:
        this.#close(event.timerFiredEventAttributes?.startedEventId, event);
        break;
      case EventType.EVENT_TYPE_TIMER_CANCELED:
        this.#timerCanceled(numberOf(event.timerCanceledEventAttributes?.startedEventId));
        break;
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        this.#signaled(event);
        break;
      default:
    }
  }

  #close(scheduledEventId: Parameters<typeof numberOf>[0], event: HistoryEvent): void {
    const eventId = numberOf(scheduledEventId);
    const entry = this.#byEventId.get(eventId);
    if (entry === undefined) return;
    this.#byEventId.delete(eventId);
    entry.closedEventId = numberOf(event.eventId);
    entry.completed = event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED;
    if (entry.completed) entry.scheduled = undefined;
    if (entry.done) return;
    entry.closed = event;
    if (entry.waiter) this.#deliver(entry);
  }

  /** A retry of the task voids what failed before it: the key is scheduled again. Completions stay. */
  #closeBadly(
    scheduledEventId: Parameters<typeof numberOf>[0],
    event: HistoryEvent,
    byReset: boolean,
  ): void {
    const voided = this.#voidsFailures && numberOf(event.eventId) <= this.#lastResetEventId;
    if (!byReset && !voided) {
      this.#close(scheduledEventId, event);
      return;
    }
    this.#void(numberOf(scheduledEventId));
  }

  #void(eventId: number): void {
    const entry = this.#byEventId.get(eventId);
    if (entry === undefined) return;
    this.#byEventId.delete(eventId);
    // Scheduled again since: that one counts.
    if (entry.scheduledEventId !== eventId) return;
    entry.scheduledEventId = 0;
    entry.cancelRecorded = false;
    if (entry.waiter) this.#fresh.push(entry);
  }

  /** Cancelled by code that asks for it no more; if this code does wait for it, it is started again. */
  #timerCanceled(eventId: number): void {
    const entry = this.#byEventId.get(eventId);
    if (entry === undefined) return;
    if (entry.waiter || !entry.asked) {
      this.#void(eventId);
      return;
    }
    this.#byEventId.delete(eventId);
    entry.cancelRecorded = true;
  }

  #signaled(event: HistoryEvent): void {
    const box = this.#box(event.workflowExecutionSignaledEventAttributes?.signalName ?? '');
    if (box.handler) {
      box.handler(event);
      return;
    }
    const wait = box.waits.shift();
    if (wait === undefined) {
      box.events.push(event);
      return;
    }
    this.waits.delete(wait);
    this.#answers.deliverSignal(wait, event);
  }

  #box(name: string): SignalBox {
    let box = this.#signals.get(name);
    if (box === undefined) {
      box = { events: [], waits: [], handler: undefined };
      this.#signals.set(name, box);
    }
    return box;
  }

  #deliver(entry: Entry): void {
    const event = entry.closed;
    if (event === undefined) return;
    this.waits.delete(entry);
    entry.done = true;
    entry.descriptor = undefined;
    entry.closed = undefined;
    this.#answers.deliver(entry, event);
    entry.waiter = undefined;
  }

  /**
   * @param internal The key is one of this house's own words and may hold `#`.
   * @throws TaskCodeError KEY_INVALID, KEY_TAKEN_TWICE, KEY_CHANGED_KIND
   */
  askStep(descriptor: StepDescriptor, waiter: Waiter, internal: boolean): Entry {
    const entry = this.#entryFor('step', descriptor.key, internal);
    entry.descriptor = descriptor;
    entry.shielded = descriptor.shielded === true;
    this.#ask(entry, waiter);
    return entry;
  }

  /** The step whose answer is taken as the payload it is. */
  askRaw(descriptor: StepDescriptor, waiter: Waiter): Entry {
    const entry = this.#entryFor('step', descriptor.key, true);
    entry.descriptor = descriptor;
    entry.raw = true;
    this.#ask(entry, waiter);
    return entry;
  }

  /** @throws TaskCodeError KEY_INVALID, KEY_TAKEN_TWICE, KEY_CHANGED_KIND */
  askSleep(key: string | undefined, durationMs: number, waiter: Waiter, shielded: boolean): Entry {
    const entry = this.#entryFor('sleep', key ?? this.#nextSleep(), key === undefined);
    entry.durationMs = durationMs;
    entry.shielded = shielded;
    this.#ask(entry, waiter);
    return entry;
  }

  #nextSleep(): string {
    this.#sleeps += 1;
    return `sleep#${this.#sleeps}`;
  }

  /** @throws TaskCodeError KEY_INVALID, KEY_CHANGED_KIND */
  askSignal(name: string, key: string | undefined, waiter: Waiter, shielded: boolean): SignalWait {
    if (key !== undefined) {
      checkKey(key, false);
      const other = this.steps.get(key) ?? this.timers.get(key);
      if (other) throw changedKind('signal', other);
    }
    const wait = new SignalWait(name, key, waiter, shielded);
    const box = this.#box(name);
    const event = box.events.shift();
    if (event === undefined) {
      box.waits.push(wait);
      this.waits.add(wait);
    } else {
      this.#answers.deliverSignal(wait, event);
    }
    return wait;
  }

  /** Gives every signal of that name, those that are there first, to the handler. */
  handleSignals(name: string, handler: (event: HistoryEvent) => void): void {
    const box = this.#box(name);
    box.handler = handler;
    for (const event of box.events.splice(0)) handler(event);
  }

  #entryFor(kind: EntryKind, key: string, internal: boolean): Entry {
    const entries = kind === 'step' ? this.steps : this.timers;
    const first = entries.get(key);
    if (first === undefined) {
      checkKey(key, internal);
      const other = (kind === 'step' ? this.timers : this.steps).get(key);
      // A numbered id is ours, and each kind has numbers of its own.
      if (other && !internal) throw changedKind(kind, other);
      const entry = new Entry(kind, key, key);
      entries.set(key, entry);
      return entry;
    }
    if (!first.asked) {
      checkKey(key, internal);
      return first;
    }
    if (!first.latest.done) {
      throw new TaskCodeError(
        'KEY_TAKEN_TWICE',
        `The key "${key}" was asked for while "${first.latest.id}" is still pending: two ${kind}s at the same time need two keys.`,
      );
    }
    first.rounds += 1;
    const id = `${key}#${first.rounds}`;
    let next = entries.get(id);
    if (next === undefined) {
      next = new Entry(kind, id, key);
      entries.set(id, next);
    }
    first.latest = next;
    return next;
  }

  #ask(entry: Entry, waiter: Waiter): void {
    entry.asked = true;
    entry.waiter = waiter;
    if (entry.closed) {
      this.#deliver(entry);
      return;
    }
    this.waits.add(entry);
    if (entry.scheduledEventId === 0) this.#fresh.push(entry);
  }

  /** The code no longer waits for it; a later answer is dropped, and what was scheduled is cancelled. */
  giveUp(wait: Wait): void {
    this.waits.delete(wait);
    if (wait instanceof SignalWait) {
      const { waits } = this.#box(wait.name);
      const index = waits.indexOf(wait);
      if (index >= 0) waits.splice(index, 1);
      return;
    }
    wait.done = true;
    wait.waiter = undefined;
    wait.descriptor = undefined;
    this.#cancels.push(wait);
  }

  /** What is owed to the history, in the order it was asked; asked for once. */
  takeOwed(): { readonly fresh: readonly Entry[]; readonly cancels: readonly Entry[] } {
    const fresh = this.#fresh.filter((entry) => !entry.done && entry.scheduledEventId === 0);
    const cancels = this.#cancels.filter(
      (entry) => entry.scheduledEventId > 0 && entry.closedEventId === 0 && !entry.cancelRecorded,
    );
    this.#fresh = [];
    this.#cancels = [];
    return { fresh, cancels };
  }
}

/** The key of a numbered id. */
function baseKey(id: string): string {
  const at = id.lastIndexOf('#');
  return at > 0 && /^\d+$/.test(id.slice(at + 1)) ? id.slice(0, at) : id;
}

function checkKey(key: unknown, internal: boolean): void {
  if (typeof key !== 'string' || key === '') {
    throw new TaskCodeError(
      'KEY_INVALID',
      `A key is ${typeof key === 'string' ? 'empty' : `of type ${typeof key}`}; expected a string of 1 to ${keyBytesMax} bytes.`,
    );
  }
  if (!internal && key.includes('#')) {
    throw new TaskCodeError(
      'KEY_INVALID',
      `The key ${JSON.stringify(key)} holds "#", which numbers repeated keys ("key#2"); use another character.`,
    );
  }
  if (/\p{Surrogate}/u.test(key)) {
    throw new TaskCodeError(
      'KEY_INVALID',
      `The key ${JSON.stringify(key.slice(0, 40))} holds half of a character (a lone surrogate), which cannot be stored; cut text between characters.`,
    );
  }
  if (key.length > keyBytesMax / 3 && Buffer.byteLength(key) > keyBytesMax) {
    throw new TaskCodeError(
      'KEY_INVALID',
      `The key ${JSON.stringify(key.slice(0, 40))}… is ${Buffer.byteLength(key)} bytes; expected at most ${keyBytesMax}.`,
    );
  }
}

const eventTypes: Readonly<Record<EntryKind, string>> = {
  step: 'ActivityTaskScheduled',
  sleep: 'TimerStarted',
};

function changedKind(kind: EntryKind | 'signal', held: Entry): TaskCodeError {
  const where =
    held.scheduledEventId > 0
      ? `in event ${held.scheduledEventId} of the history (${eventTypes[held.kind]}) it is a ${held.kind}`
      : `it was a ${held.kind} before in this run`;
  return new TaskCodeError(
    'KEY_CHANGED_KIND',
    `The key "${held.id}" is a ${kind} in the code, but ${where}. Give the ${kind} a key of its own.`,
  );
}
