/** A run as the disk has it, kept by the simulation from the commits it saw; it outlives the run's deletion. */
import type { HistoryEvent } from '../../src/core/proto.ts';
import { rebuildState } from '../../src/core/rebuild.ts';
import type { ActivityInfo, RunState } from '../../src/core/state.ts';
import type { RunColumns, RunKey, RunRef } from '../../src/store/store.ts';
import { HistoryCheck } from './history-check.ts';
import type { Complain } from './history-check.ts';

export class RunRecord {
  readonly ref: RunRef;
  readonly key: RunKey;
  readonly history: HistoryCheck;
  readonly #complain: Complain;
  readonly events: HistoryEvent[] = [];
  version = 0;
  state: RunState | undefined;
  columns: RunColumns | undefined;
  deleted = false;
  /** Of the world, in ms since it began. */
  closedAt = 0;
  /** Tokens of those who asked, and how often they took effect here. */
  readonly effects = new Map<string, number>();
  /** Activities whose options were changed: no event tells of it. */
  readonly reoptioned = new Set<number>();

  constructor(ref: RunRef, key: RunKey, complain: Complain) {
    this.#complain = complain;
    this.ref = ref;
    this.key = key;
    this.history = new HistoryCheck(complain);
  }

  get name(): string {
    return `${this.key.workflowId}/${this.key.runId.slice(-6)}`;
  }

  /**
   * `operated`: an operator may have changed options of the runs of its workflow id. `again`: whoever asked for this
   * may have asked for it before.
   */
  add(event: HistoryEvent, operated: boolean, again: boolean): void {
    this.events.push(event);
    const { originalExecutionRunId } = event.workflowExecutionStartedEventAttributes ?? {};
    if (operated && originalExecutionRunId && originalExecutionRunId !== this.key.runId) {
      this.history.attemptsUntold = true;
    }
    this.history.event(event);
    const token = tokenOf(event);
    if (token === undefined) return;
    const count = (this.effects.get(token) ?? 0) + 1;
    this.effects.set(token, count);
    // A pause is known by its request id as long as it lasts.
    if (count > 1 && !again && !/^(?:un)?pause-/.test(token)) {
      this.#complain(token.startsWith('signal') ? 10 : 9, `${token} took effect ${count} times`);
    }
  }

  /** Attempts are counted against the options that they had. */
  noteOptions(before: RunState | undefined, state: RunState, operated: boolean): void {
    if (!before || before.activities === state.activities) return;
    for (const [id, activity] of state.activities) {
      const was =
        before.activities.get(id) ?? (operated ? this.#asScheduled(state, id) : undefined);
      if (!was) continue;
      const { maximumAttempts } = activity.retryPolicy;
      if (optionsOf(was) !== optionsOf(activity)) {
        if (!operated) this.#complain(2, `activity ${id} has other options, and nobody asked`);
        this.reoptioned.add(id);
        this.history.allowAttempts(id, maximumAttempts);
      }
      // A paused activity parks with its next attempt, whatever attempts are left (AC-15).
      if (activity.paused && activity.attempt > maximumAttempts && maximumAttempts > 0) {
        this.history.allowAttempts(id, activity.attempt);
      }
    }
  }

  /** Of one that was scheduled and changed in the same commit. */
  #asScheduled(state: RunState, scheduledEventId: number): ActivityInfo | undefined {
    return rebuildState(this.events, state).activities.get(scheduledEventId);
  }

  /** Also in what waits in the buffer. */
  has(token: string): boolean {
    if (this.effects.has(token)) return true;
    return this.state?.buffered.some((event) => tokenOf(event) === token) === true;
  }
}

function optionsOf(activity: ActivityInfo): string {
  const { taskQueue, scheduleToCloseMs, scheduleToStartMs, startToCloseMs, heartbeatMs } = activity;
  const { initialIntervalMs, maximumIntervalMs, backoffCoefficient, maximumAttempts } =
    activity.retryPolicy;
  return `${taskQueue} ${scheduleToCloseMs} ${scheduleToStartMs} ${startToCloseMs} ${heartbeatMs} ${initialIntervalMs} ${maximumIntervalMs} ${backoffCoefficient} ${maximumAttempts}`;
}

/** Whoever asks for something signs it with a token, which is found again in the event. */
export function tokenOf(event: HistoryEvent): string | undefined {
  const signaled = event.workflowExecutionSignaledEventAttributes;
  if (signaled) {
    const text = textOf(signaled.input?.payloads?.[0]?.data);
    // A run that was reset sends again, as another, what it had sent to other runs.
    return signaled.externalWorkflowExecution ? `${text}@${signaled.requestId}` : text;
  }
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) {
    const text = textOf(completed.result?.payloads?.[0]?.data);
    return text && isToken(text) ? text : undefined;
  }
  const updated = event.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId;
  if (updated) return updated;
  const paused =
    event.workflowExecutionPausedEventAttributes?.requestId ??
    event.workflowExecutionUnpausedEventAttributes?.requestId;
  if (paused) return paused;
  const reason =
    event.workflowExecutionTerminatedEventAttributes?.reason ??
    event.workflowExecutionCancelRequestedEventAttributes?.cause;
  return reason && isToken(reason) ? reason : undefined;
}

function isToken(text: string): boolean {
  return text.length < 40 && /^[a-z]+-\d+$/.test(text);
}

export function textOf(data: Uint8Array | null | undefined): string | undefined {
  if (!data || data.length < 3 || data[0] !== 34) return undefined;
  return Buffer.from(data.buffer, data.byteOffset + 1, data.length - 2).toString();
}
