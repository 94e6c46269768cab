/**
 * How many tasks a second a queue has been given and has given out, over the last half minute, as this process has
 * seen it: what other processes on the store make and take is not in it. Counted as Temporal's server counts, in
 * spans of five seconds, so that the figures of both can be compared.
 */
import type { Replies } from '../core/input.ts';
import type { Clock } from '../service/clock.ts';
import type { TaskKind } from '../store/store.ts';
import { queueKey } from './matching.ts';
import type { Part } from './unit.ts';

const spanMs = 5_000;
const spans = 6;
/** A queue of which nothing is heard is forgotten, as its rates are 0 then. */
const keptMs = 300_000;

export interface Rates {
  readonly tasksAddRate: number;
  readonly tasksDispatchRate: number;
}

const none: Rates = { tasksAddRate: 0, tasksDispatchRate: 0 };

export class TaskRates {
  readonly #clock: Clock;
  /** By namespace id, kind and name. */
  readonly #queues = new Map<string, QueueCounts>();
  #forgotAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts the tasks that a commit has left in queues, and those that it has started. */
  committed({ run, unit, tasks, state }: Part): void {
    const { namespaceId } = run.key;
    if (state.closeTime === 0) {
      for (const { kind, taskQueue } of tasks) this.#of(namespaceId, kind, taskQueue).added();
    }
    for (const { request, outcome, run: of } of unit.requests) {
      if (of !== run || !outcome.ok) continue;
      const { input, doneTask } = request;
      const started =
        input.kind === 'startWorkflowTask'
          ? this.#of(namespaceId, 'workflow', input.taskQueue)
          : input.kind === 'startActivity'
            ? this.#of(namespaceId, 'activity', queueOfStep(outcome.value))
            : undefined;
      if (!started) continue;
      // One that was started in the commit that made it was in no queue, and passed through it all the same.
      if (doneTask === undefined) started.added();
      started.dispatched();
    }
  }

  of(namespaceId: string, kind: TaskKind, taskQueue: string): Rates {
    const counts = this.#queues.get(queueKey(namespaceId, kind, taskQueue));
    return counts ? counts.rates(this.#clock.now()) : none;
  }

  #of(namespaceId: string, kind: TaskKind, taskQueue: string): QueueCounts {
    const now = this.#clock.now();
    if (now - this.#forgotAt >= keptMs) this.#forget(now);
    const key = queueKey(namespaceId, kind, taskQueue);
    let counts = this.#queues.get(key);
    if (!counts) this.#queues.set(key, (counts = new QueueCounts(now)));
    counts.advance(now);
    return counts;
  }

  #forget(now: number): void {
    this.#forgotAt = now;
    for (const [key, { heardAt }] of this.#queues) {
      if (now - heardAt >= keptMs) this.#queues.delete(key);
    }
  }
}

class QueueCounts {
  readonly #since: number;
  #spanSince: number;
  /** The span under way first. */
  readonly #added = Array.from({ length: spans + 1 }, () => 0);
  readonly #dispatched = Array.from({ length: spans + 1 }, () => 0);

  constructor(now: number) {
    this.#since = now;
    this.#spanSince = now;
  }

  /** To within a span. */
  get heardAt(): number {
    return this.#spanSince;
  }

  added(): void {
    this.#added[0] = (this.#added[0] ?? 0) + 1;
  }

  dispatched(): void {
    this.#dispatched[0] = (this.#dispatched[0] ?? 0) + 1;
  }

  advance(now: number): void {
    const passed = Math.max(0, Math.floor((now - this.#spanSince) / spanMs));
    if (passed === 0) return;
    this.#spanSince += passed * spanMs;
    for (let span = 0; span < Math.min(passed, spans + 1); span += 1) {
      for (const counts of [this.#added, this.#dispatched]) {
        counts.pop();
        counts.unshift(0);
      }
    }
  }

  rates(now: number): Rates {
    this.advance(now);
    const ms = Math.min(now - this.#spanSince + spans * spanMs, now - this.#since);
    if (ms <= 0) return none;
    const rate = (counts: readonly number[]): number =>
      (counts.reduce((sum, count) => sum + count, 0) / ms) * 1_000;
    return { tasksAddRate: rate(this.#added), tasksDispatchRate: rate(this.#dispatched) };
  }
}

function queueOfStep(reply: unknown): string {
  return (reply as Replies['startActivity']).activity.taskQueue;
}
