/** Reports runs whose code awaits something that is no step for too long. One timer for all of them. */
import type { Clock, Timer } from '../service/clock.ts';
import type { LiveRun } from './live-run.ts';

/** Decision 9. */
const stallMs = 1000;

export class StallWatch {
  readonly #clock: Clock;
  readonly #since = new Map<LiveRun, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Looks at the run for as long as it is driven; undefined when it waits already. */
  watch(run: LiveRun, driving: Promise<void> | undefined): Promise<void> | undefined {
    if (driving === undefined) return undefined;
    this.#since.set(run, this.#clock.now());
    if (this.#timer === undefined) this.#arm(stallMs);
    return driving.then(() => {
      this.#since.delete(run);
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  #look(): void {
    const now = this.#clock.now();
    let next = Infinity;
    for (const [run, since] of this.#since) {
      // A clock that goes back starts the wait again.
      const age = Math.max(0, now - since);
      if (age >= stallMs) {
        this.#since.delete(run);
        run.breakDownStalled(age);
      } else {
        next = Math.min(next, stallMs - age);
      }
    }
    if (next !== Infinity) this.#arm(next);
  }
}
