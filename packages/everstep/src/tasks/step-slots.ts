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
    return new Slot(limiter, (started) => {
      this.#taken -= 1;
      // No step ends here that would tell of the room; whoever gave the place back may take it again first.
      if (!started && this.#refused) this.#tellIn(1);
    });
  }

  /** The code of the step that has this place begins now. */
  started(slot: StepSlot): void {
    if (!(slot instanceof Slot)) return;
    slot.start(this.#options.clock.now());
    // Until now nobody could tell when there would be room again.
    if (this.#refused) this.#refuse(slot.limiter);
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
    // A place that is taken tells by its release; only time tells of the rate.
    this.#tellIn(limiter?.waitMs(this.#options.clock.now()) ?? 0);
  }

  #tellIn(waitMs: number): void {
    const now = this.#options.clock.now();
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
  readonly limiter: Limiter | undefined;
  #started = false;
  #onReleased: ((started: boolean) => void) | undefined;

  constructor(limiter: Limiter | undefined, onReleased: (started: boolean) => void) {
    this.limiter = limiter;
    this.#onReleased = onReleased;
  }

  start(now: number): void {
    if (this.#started || this.#onReleased === undefined) return;
    this.#started = true;
    this.limiter?.start(now);
  }

  release(): void {
    const onReleased = this.#onReleased;
    if (onReleased === undefined) return;
    this.#onReleased = undefined;
    this.limiter?.release(this.#started);
    onReleased(this.#started);
  }
}

/**
 * The starts of any window hold to the rate: no burst at its edge. A place that was given and has not started yet
 * counts against every window, because its start may fall into any.
 */
class Limiter {
  readonly #concurrent: number;
  readonly #startsMax: number;
  readonly #windowMs: number;
  /** Starts of the last window, oldest first. */
  readonly #starts: number[] = [];
  #given = 0;
  #running = 0;

  constructor({ concurrent, perSecond = Infinity }: TaskLimit) {
    this.#concurrent = concurrent ?? Infinity;
    this.#startsMax = perSecond === Infinity ? Infinity : Math.max(1, Math.floor(perSecond));
    // One more, as the clock counts whole milliseconds: two starts that are 1,000 of them apart may be 999.1 ms apart.
    this.#windowMs = Math.max(1000, Math.ceil(1000 / perSecond)) + 1;
  }

  free(now: number): number {
    this.#forget(now);
    return Math.min(this.#concurrent - this.#running, this.#left());
  }

  take(now: number): boolean {
    if (this.free(now) <= 0) return false;
    this.#running += 1;
    this.#given += 1;
    return true;
  }

  start(now: number): void {
    this.#given -= 1;
    if (this.#startsMax !== Infinity) this.#starts.push(now);
  }

  release(started: boolean): void {
    this.#running -= 1;
    if (!started) this.#given -= 1;
  }

  /** Until the rate lets one more start; 0 when it is not time that holds it. */
  waitMs(now: number): number {
    this.#forget(now);
    const oldest = this.#starts[0];
    return this.#left() > 0 || oldest === undefined ? 0 : oldest + this.#windowMs - now;
  }

  #left(): number {
    return this.#startsMax - this.#given - this.#starts.length;
  }

  #forget(now: number): void {
    const starts = this.#starts;
    // The clock may be set back: what was started then counts as started now, and not for longer.
    for (let at = starts.length - 1; at >= 0 && (starts[at] ?? 0) > now; at -= 1) starts[at] = now;
    const past = starts.findIndex((start) => now - start < this.#windowMs);
    starts.splice(0, past < 0 ? starts.length : past);
  }
}
