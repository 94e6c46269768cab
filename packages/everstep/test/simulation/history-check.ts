/**
 * What holds of a history, event by event as it is written (invariants 1, 3, 6, 7, 13, 14). It keeps what is open, so that each
 * event is looked at once.
 */
import { EventType, RetryState } from '../../src/core/proto.ts';
import type { HistoryEvent } from '../../src/core/proto.ts';
import { msOfDuration, msOfTimestamp, numberOf } from '../../src/core/time.ts';
import type { WireLong } from '../../src/core/time.ts';

export type Complain = (invariant: number, what: string) => void;

interface OpenActivity {
  startedEventId: number;
  attempt: number;
  /** Without a change of options (AC-15) both are the policy's maximum; 0 = without limit. */
  attemptsLeast: number;
  attemptsMost: number;
}

const closing: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
]);

export function isCloseEvent(event: HistoryEvent): boolean {
  return closing.has(event.eventType ?? 0);
}

/** Milliseconds that a time on the wire may be off by its rounding. */
const roundingMs = 0.001;

export class HistoryCheck {
  readonly #complain: Complain;
  #events = 0;
  #closed = false;
  #workflowTask: { scheduled: number; started: number } | undefined;
  readonly #activities = new Map<number, OpenActivity>();
  readonly #timers = new Map<number, { readonly timerId: string; readonly expiry: number }>();
  readonly #children = new Map<number, number>();
  readonly #externals = new Map<number, 'signal' | 'cancel'>();
  readonly #decisions = new Set<string>();
  /** Its first events are another run's, and no event tells whether an operator gave that other options. */
  attemptsUntold = false;
  /** The fewest attempts that an operator has asked for: a commit that changes options may be the activity's last. */
  attemptsAsked = Infinity;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** From now on the activity may be given up after that many attempts, too. */
  allowAttempts(scheduledEventId: number, attempts: number): void {
    const open = this.#activities.get(scheduledEventId);
    if (!open) return;
    open.attemptsLeast = Math.min(open.attemptsLeast || Infinity, attempts || Infinity);
    open.attemptsMost =
      attempts === 0 || open.attemptsMost === 0 ? 0 : Math.max(open.attemptsMost, attempts);
  }

  event(event: HistoryEvent): void {
    const id = numberOf(event.eventId);
    this.#events += 1;
    if (id !== this.#events) this.#complain(1, `event ${this.#events} has id ${id}`);
    if (this.#closed) this.#complain(1, `event ${id} follows the close`);
    const starts = event.eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;
    if (starts !== (id === 1)) this.#complain(1, `event ${id} is ${starts ? 'a' : 'no'} start`);
    if (isCloseEvent(event)) this.#closed = true;
    this.#workflowTaskEvent(id, event);
    this.#activityEvent(id, event);
    this.#timerEvent(id, event);
    this.#childEvent(id, event);
    this.#externalEvent(id, event);
  }

  #workflowTaskEvent(id: number, event: HistoryEvent): void {
    switch (event.eventType) {
      case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
        if (this.#workflowTask) this.#complain(4, `event ${id} schedules a second workflow task`);
        this.#workflowTask = { scheduled: id, started: 0 };
        break;
      case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED: {
        const scheduled = numberOf(event.workflowTaskStartedEventAttributes?.scheduledEventId);
        if (this.#workflowTask?.scheduled !== scheduled || this.#workflowTask.started !== 0) {
          this.#complain(3, `event ${id} starts workflow task ${scheduled}, which is not there`);
        }
        this.#workflowTask = { scheduled, started: id };
        break;
      }
      case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED: {
        const completed = event.workflowTaskCompletedEventAttributes ?? {};
        this.#endWorkflowTask(id, completed.scheduledEventId, completed.startedEventId);
        // Workers of the simulation sign each decision with an identity of its own.
        const { identity } = completed;
        if (identity?.startsWith('decision-')) {
          if (this.#decisions.has(identity)) this.#complain(7, `${identity} is applied twice`);
          this.#decisions.add(identity);
        }
        break;
      }
      case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: {
        const failed = event.workflowTaskFailedEventAttributes ?? {};
        this.#endWorkflowTask(id, failed.scheduledEventId, failed.startedEventId);
        break;
      }
      case EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: {
        const late = event.workflowTaskTimedOutEventAttributes ?? {};
        this.#endWorkflowTask(id, late.scheduledEventId, late.startedEventId);
        break;
      }
      default:
    }
  }

  #endWorkflowTask(id: number, scheduledId: WireLong, startedId: WireLong): void {
    const scheduled = numberOf(scheduledId);
    const started = numberOf(startedId);
    const task = this.#workflowTask;
    if (task === undefined || task.scheduled !== scheduled || task.started !== started) {
      const open = task ? `${task.scheduled}/${task.started}` : 'none';
      this.#complain(3, `event ${id} ends workflow task ${scheduled}/${started}; open is ${open}`);
    }
    this.#workflowTask = undefined;
  }

  #activityEvent(id: number, event: HistoryEvent): void {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      this.#activities.set(id, {
        startedEventId: 0,
        attempt: 0,
        attemptsLeast: scheduled.retryPolicy?.maximumAttempts ?? 0,
        attemptsMost: scheduled.retryPolicy?.maximumAttempts ?? 0,
      });
      return;
    }
    const asked = event.activityTaskCancelRequestedEventAttributes;
    if (asked) {
      const open = this.#activities.get(numberOf(asked.scheduledEventId));
      if (!open) this.#complain(6, `event ${id} asks to cancel an activity that is not open`);
      return;
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      const open = this.#activities.get(numberOf(started.scheduledEventId));
      const attempt = started.attempt ?? 0;
      if (!open || open.startedEventId !== 0) {
        this.#complain(6, `event ${id} starts an activity that is not open`);
      } else {
        open.startedEventId = id;
        open.attempt = attempt;
        if (attempt < 1) this.#complain(14, `event ${id} starts attempt ${attempt}`);
        if (!this.attemptsUntold && open.attemptsMost > 0 && attempt > open.attemptsMost) {
          this.#complain(14, `event ${id} is attempt ${attempt} of ${open.attemptsMost}`);
        }
      }
      return;
    }
    const close =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (!close) return;
    const of = numberOf(close.scheduledEventId);
    const open = this.#activities.get(of);
    if (!open) this.#complain(6, `event ${id} closes activity ${of}, which is not open`);
    else if (numberOf(close.startedEventId) !== open.startedEventId) {
      this.#complain(
        6,
        `event ${id} names start ${numberOf(close.startedEventId)} of ${open.startedEventId}`,
      );
    }
    const { retryState } =
      event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes ?? {};
    const usedUp = retryState === RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED;
    if (
      open &&
      usedUp &&
      !this.attemptsUntold &&
      open.attempt < this.attemptsAsked &&
      (open.attempt < open.attemptsLeast || open.attempt > (open.attemptsMost || Infinity))
    ) {
      this.#complain(
        14,
        `event ${id} gives up after attempt ${open.attempt} of ${open.attemptsLeast} to ${open.attemptsMost}`,
      );
    }
    this.#activities.delete(of);
  }

  #timerEvent(id: number, event: HistoryEvent): void {
    const started = event.timerStartedEventAttributes;
    if (started) {
      const timerId = started.timerId ?? '';
      const expiry = msOfTimestamp(event.eventTime) + msOfDuration(started.startToFireTimeout);
      this.#timers.set(id, { timerId, expiry });
      return;
    }
    const fired = event.timerFiredEventAttributes;
    const end = fired ?? event.timerCanceledEventAttributes;
    if (!end) return;
    const of = numberOf(end.startedEventId);
    const open = this.#timers.get(of);
    if (!open) this.#complain(6, `event ${id} closes timer ${of}, which is not open`);
    else if (fired && msOfTimestamp(event.eventTime) < open.expiry - roundingMs) {
      this.#complain(
        13,
        `event ${id} fires timer ${open.timerId} ${open.expiry - msOfTimestamp(event.eventTime)} ms early`,
      );
    }
    this.#timers.delete(of);
  }

  #childEvent(id: number, event: HistoryEvent): void {
    if (event.startChildWorkflowExecutionInitiatedEventAttributes) {
      this.#children.set(id, 0);
      return;
    }
    const started = event.childWorkflowExecutionStartedEventAttributes;
    if (started) {
      const of = numberOf(started.initiatedEventId);
      if (this.#children.get(of) !== 0) this.#complain(6, `event ${id}: child ${of} started twice`);
      this.#children.set(of, id);
      return;
    }
    const failed = event.startChildWorkflowExecutionFailedEventAttributes;
    const close =
      event.childWorkflowExecutionCompletedEventAttributes ??
      event.childWorkflowExecutionFailedEventAttributes ??
      event.childWorkflowExecutionCanceledEventAttributes ??
      event.childWorkflowExecutionTimedOutEventAttributes ??
      event.childWorkflowExecutionTerminatedEventAttributes;
    const of = numberOf((failed ?? close)?.initiatedEventId);
    if (!failed && !close) return;
    const startedId = this.#children.get(of);
    if (startedId === undefined) {
      this.#complain(17, `event ${id} closes child ${of}, which is not open`);
    } else if (failed ? startedId !== 0 : startedId !== numberOf(close?.startedEventId)) {
      this.#complain(6, `event ${id} closes child ${of}, whose start is ${startedId}`);
    }
    this.#children.delete(of);
  }

  #externalEvent(id: number, event: HistoryEvent): void {
    if (event.signalExternalWorkflowExecutionInitiatedEventAttributes) {
      this.#externals.set(id, 'signal');
    } else if (event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes) {
      this.#externals.set(id, 'cancel');
    } else {
      const signal =
        event.externalWorkflowExecutionSignaledEventAttributes ??
        event.signalExternalWorkflowExecutionFailedEventAttributes;
      const cancel =
        event.externalWorkflowExecutionCancelRequestedEventAttributes ??
        event.requestCancelExternalWorkflowExecutionFailedEventAttributes;
      const end = signal ?? cancel;
      if (!end) return;
      const of = numberOf(end.initiatedEventId);
      if (this.#externals.get(of) !== (signal ? 'signal' : 'cancel')) {
        this.#complain(6, `event ${id} closes external operation ${of}, which is not open`);
      }
      this.#externals.delete(of);
    }
  }
}
