/** A clock that stands still until it is moved. Each test environment has one of its own. */
import type { Clock, Timer } from '../service/clock.ts';

interface PendingTimer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #turns = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Something waits for the end of this turn. */
  get turning(): boolean {
    return this.#turns > 0;
  }

  /** When the earliest timer is due; undefined when there is none. */
  get nextTimerAt(): number | undefined {
    return this.#earliest()?.at;
  }

  setTimer(ms: number, run: () => void): Timer {
    this.#order += 1;
    const timer = { at: this.#now + Math.max(ms, 0), order: this.#order, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  endOfTurn(run: () => void): void {
    this.#turns += 1;
    setImmediate(() => {
      this.#turns -= 1;
      run();
    });
  }

  /** It is that late now: every timer due by then runs once, in the order of their times. */
  moveTo(now: number): void {
    this.#now = Math.max(this.#now, now);
    for (let next = this.#earliest(); next && next.at <= this.#now; next = this.#earliest()) {
      this.#timers.delete(next);
      next.run();
    }
  }

  #earliest(): PendingTimer | undefined {
    let earliest: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (
        !earliest ||
        timer.at < earliest.at ||
        (timer.at === earliest.at && timer.order < earliest.order)
      ) {
        earliest = timer;
      }
    }
    return earliest;
  }
}
