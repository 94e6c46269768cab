/**
 * A clock that stands still until a test moves it. Timers run in order as time passes; between two of them every
 * turn that can end without I/O ends, and what a database has been asked. Nothing here waits for a span of real time.
 */
import type { Clock, Timer } from '../src/service/clock.ts';

interface PendingTimer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the event loop without anything to do after which the engines count as quiet. */
const quietTurns = 3;

export class ManualClock {
  /** What `now()` says; may be set back with `shift`. */
  #now: number;
  /** What timers are measured with: only goes forward, as a machine's steady clock. */
  #elapsed = 0;
  #order = 0;
  #pendingTurns = 0;
  readonly #isBusy: () => boolean;
  readonly #timers = new Set<PendingTimer>();

  /** `isBusy`: whether something waits for I/O that needs real time. */
  constructor(now = 1_700_000_000_000, isBusy = () => false) {
    this.#now = now;
    this.#isBusy = isBusy;
  }

  get now(): number {
    return this.#now;
  }

  /** The clock as one process sees it. */
  view(): ProcessClock {
    return new ProcessClock(this);
  }

  /** The wall clock is set; timers that run already are not moved. */
  shift(ms: number): void {
    this.#now += ms;
  }

  /** Lets that much time pass, timer by timer. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await this.settle();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#pass(next.at - this.#elapsed);
      next.run();
      await this.settle();
    }
    this.#pass(until - this.#elapsed);
    await this.settle();
  }

  /** The machine was asleep for that long: every timer due by then runs once, late. */
  async sleep(ms: number): Promise<void> {
    await this.settle();
    this.#pass(ms);
    await this.advance(0);
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < quietTurns; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#pendingTurns > 0 || this.#isBusy()) quiet = -1;
    }
  }

  setTimer(ms: number, run: () => void): Timer {
    this.#order += 1;
    const timer = { at: this.#elapsed + Math.max(ms, 0), order: this.#order, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  endOfTurn(run: () => void): void {
    this.#pendingTurns += 1;
    setImmediate(() => {
      this.#pendingTurns -= 1;
      run();
    });
  }

  #pass(ms: number): void {
    if (ms <= 0) return;
    this.#elapsed += ms;
    this.#now += ms;
  }

  #next(until: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > until) continue;
      if (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }
}

/** Ends with its process: after `kill` nothing that was set runs. */
export class ProcessClock implements Clock {
  readonly #clock: ManualClock;
  #killed = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  kill(): void {
    this.#killed = true;
  }

  now(): number {
    return this.#clock.now;
  }

  setTimer(ms: number, run: () => void): Timer {
    return this.#clock.setTimer(ms, () => {
      if (!this.#killed) run();
    });
  }

  endOfTurn(run: () => void): void {
    this.#clock.endOfTurn(() => {
      if (!this.#killed) run();
    });
  }
}
