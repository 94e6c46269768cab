/**
 * Places for running steps: so many in all, and for a limited task so many at once and so many starts in a second.
 * Each is for this process.
 */
import type { Clock, Timer } from '../service/clock.ts';
import type { StepSlot } from '../service/local-worker.ts';
import type { TaskLimit } from './definition.ts';

export interface StepSlotsOptions {
  readonly stepsMax: number;
  /** By the queue of the limited task's steps. */
  readonly limits: ReadonlyMap<string, TaskLimit>;
  readonly clock: Clock;
  /** Something was refused, and now there is room again. */
  readonly onRoom: () => void;
}

export class StepSlots {
  readonly #options: StepSlotsOptions;
  readonly #limiters = new Map<string, Limiter>();
  #taken = 0;
  #refused = false;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(options: StepSlotsOptions) {
    this.#options = options;
    for (const [taskQueue, limit] of options.limits) {
      this.#limiters.set(taskQueue, new Limiter(limit));
    }
  }

  /** How many more would be given now. */
  free(taskQueue: string): number {
    const limiter = this.#limiters.get(taskQueue);
    const free = this.#options.stepsMax - this.#taken;
    const allowed = limiter ? Math.min(free, limiter.free(this.#options.clock.now())) : free;
    if (allowed <= 0) this.#refuse(limiter);
    return Math.max(0, allowed);
  }

  reserve(taskQueue: string): StepSlot | undefined {
    if (this.#taken >= this.#options.stepsMax) {
      this.#refuse(undefined);
      return undefined;
    }
    const limiter = this.#limiters.get(taskQueue);
    if (limiter && !limiter.take(this.#options.clock.now())) {
      this.#refuse(limiter);
      return undefined;
    }
    this.#taken += 1;
    return new Slot(() => {
      this.#taken -= 1;
      limiter?.release();
    });
  }

  /** Tells of room, when some was asked for in vain. Not part of release: a step's own follow-up comes first. */
  announceRoom(): void {
    if (!this.#refused) return;
    this.#refused = false;
    this.#options.onRoom();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #refuse(limiter: Limiter | undefined): void {
    this.#refused = true;
    const now = this.#options.clock.now();
    const waitMs = limiter?.waitMs(now) ?? 0;
    // A place that is taken tells by its release; only time tells of the rate.
    if (waitMs <= 0 || this.#timerAt <= now + waitMs) return;
    this.#timer?.cancel();
    this.#timerAt = now + waitMs;
    this.#timer = this.#options.clock.setTimer(waitMs, () => {
      this.#timerAt = Infinity;
      this.announceRoom();
    });
  }
}

class Slot implements StepSlot {
  #release: (() => void) | undefined;

  constructor(release: () => void) {
    this.#release = release;
  }

  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }
}

/** The starts of any window hold to the rate: no burst at its edge. */
class Limiter {
  readonly #concurrent: number;
  readonly #starts: number[];
  readonly #windowMs: number;
  /** Where the oldest start stands, and the next will. */
  #oldest = 0;
  #running = 0;

  constructor({ concurrent, perSecond }: TaskLimit) {
    this.#concurrent = concurrent ?? Infinity;
    const starts = perSecond === undefined ? 0 : Math.max(1, Math.floor(perSecond));
    this.#starts = Array.from({ length: starts }, () => -Infinity);
    this.#windowMs = perSecond === undefined ? 0 : (starts / perSecond) * 1000;
  }

  free(now: number): number {
    const places = this.#concurrent - this.#running;
    if (this.#starts.length === 0) return places;
    const past = this.#starts.filter((start) => now - start >= this.#windowMs).length;
    return Math.min(places, past);
  }

  take(now: number): boolean {
    if (this.#running >= this.#concurrent || this.waitMs(now) > 0) return false;
    this.#running += 1;
    if (this.#starts.length > 0) {
      this.#starts[this.#oldest] = now;
      this.#oldest = (this.#oldest + 1) % this.#starts.length;
    }
    return true;
  }

  release(): void {
    this.#running -= 1;
  }

  /** Until the rate lets one more start; 0 when it is not the rate that holds it. */
  waitMs(now: number): number {
    const oldest = this.#starts[this.#oldest];
    // The clock may go back: never wait longer than a window.
    return oldest === undefined
      ? 0
      : Math.min(this.#windowMs, Math.max(0, Math.ceil(oldest + this.#windowMs - now)));
  }
}
