/** The clock of one simulated process: it may be wrong, and it stands still while the process is paused. */
import type { Clock, Timer } from '../../src/service/clock.ts';
import type { Timeline } from './timeline.ts';

/** What the wall clock says when a world begins. */
export const worldStart = 1_700_000_000_000;

export class ProcessClock implements Clock {
  /** How far the wall clock is off, in ms; shared by the processes of a machine. */
  readonly #machine: { offsetMs: number };
  readonly #timeline: Timeline;
  #killed = false;
  #paused = false;
  #held: (() => void)[] = [];

  constructor(timeline: Timeline, machine: { offsetMs: number }) {
    this.#timeline = timeline;
    this.#machine = machine;
  }

  get killed(): boolean {
    return this.#killed;
  }

  get paused(): boolean {
    return this.#paused;
  }

  now(): number {
    return worldStart + Math.floor(this.#timeline.elapsed) + this.#machine.offsetMs;
  }

  setTimer(ms: number, run: () => void): Timer {
    let cancelled = false;
    const timer = this.#timeline.after(ms, () => {
      this.deliver(() => {
        if (!cancelled) run();
      });
    });
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  endOfTurn(run: () => void): void {
    this.#timeline.endOfTurn(() => {
      this.deliver(run);
    });
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(ms, resolve);
    });
  }

  /** Something reaches the process: at once, when it goes on, or never. */
  deliver(run: () => void): void {
    if (this.#killed) return;
    if (this.#paused) this.#held.push(run);
    else run();
  }

  kill(): void {
    this.#killed = true;
    this.#held = [];
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    this.#catchUp(held, 0);
  }

  /** In the order in which it came, each in a turn of its own. */
  #catchUp(held: readonly (() => void)[], from: number): void {
    const run = held[from];
    if (run === undefined) return;
    this.#timeline.after(0, () => {
      this.deliver(run);
      this.#catchUp(held, from + 1);
    });
  }
}
