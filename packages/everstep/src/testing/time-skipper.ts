/**
 * Lets time pass when there is nothing left to wait for but time. It goes from deadline to deadline of the runs, so a
 * day costs as much as a second; it never goes on while code of a task or a step runs, since that takes real time.
 */
import type { Store } from '../store/store.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Turns of the event loop in which nothing happened, after which nothing will without time. */
const quietTurns = 3;
/** Real time between two looks at steps that run. */
const lookMs = 1;
/** How much real time a step may take before an explicit skip goes on without it. */
const stepPatienceMs = 1_000;

export interface TimeSkipperOptions {
  readonly clock: VirtualClock;
  readonly store: Store;
  /** Code of tasks or steps runs. */
  readonly busy: () => boolean;
}

export class TimeSkipper {
  readonly #options: TimeSkipperOptions;
  /** Calls that wait for a run: while there are any, time passes by itself. */
  #waiting = 0;
  #passing = false;
  #skipping: Promise<void> = Promise.resolve();
  #skips = 0;
  #stopped = false;

  constructor(options: TimeSkipperOptions) {
    this.#options = options;
  }

  /** Time passes by itself until the call is settled. */
  async while<T>(call: Promise<T>): Promise<T> {
    this.#waiting += 1;
    void this.#pass();
    try {
      return await call;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Lets that much time pass, with all that is due in it. */
  skip(ms: number): Promise<void> {
    this.#skips += 1;
    const skipped = this.#skipping.then(() => this.#skip(ms));
    this.#skipping = skipped
      .catch(() => undefined)
      .then(() => {
        this.#skips -= 1;
      });
    return skipped;
  }

  /** Resolves when nothing happens any more without time passing. */
  async settle(patienceMs: number = Infinity): Promise<void> {
    const { clock, busy } = this.#options;
    const until = performance.now() + patienceMs;
    for (let quiet = 0; quiet < quietTurns && !this.#stopped; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.turning) quiet = -1;
      if (busy() && performance.now() < until) {
        quiet = -1;
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #skip(ms: number): Promise<void> {
    const { clock, store } = this.#options;
    const until = clock.now() + ms;
    await this.settle(stepPatienceMs);
    while (!this.#stopped) {
      const dueAt = await store.runs.nextWakeAt();
      if (dueAt === 0 || dueAt > until) break;
      clock.moveTo(dueAt);
      await this.settle(stepPatienceMs);
    }
    clock.moveTo(until);
    await this.settle(stepPatienceMs);
  }

  async #pass(): Promise<void> {
    if (this.#passing) return;
    this.#passing = true;
    try {
      while (this.#waiting > 0 && !this.#stopped) {
        await this.settle();
        if (this.#waiting === 0 || this.#stopped) return;
        if (this.#skips > 0) {
          await this.#skipping;
          continue;
        }
        const dueAt = await this.#nextAt();
        if (dueAt === undefined) await new Promise((resolve) => setTimeout(resolve, lookMs));
        else this.#options.clock.moveTo(dueAt);
      }
    } finally {
      this.#passing = false;
    }
  }

  /** What time must come for something to happen; undefined when only the outside can make it. */
  async #nextAt(): Promise<number | undefined> {
    const { clock, store } = this.#options;
    const dueAt = await store.runs.nextWakeAt();
    if (dueAt > 0) return dueAt;
    // Steps that wait for their limit are woken by a timer of their worker.
    const queues = await store.tasks.queues();
    return queues.some(({ count }) => count > 0) ? clock.nextTimerAt : undefined;
  }
}
