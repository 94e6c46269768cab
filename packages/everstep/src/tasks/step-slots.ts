/**
 * Places for running steps: so many in all, and for a limited task so many at once and so many starts in a second.
 * Each is for this process.
 */
import type { Clock, Timer } from '../service/clock.ts';
import type { StepSlot } from '../service/local-worker.ts';
import type { TaskLimit } from './definition.ts';

export interface StepSlotsOptions {
  /** Now; it may change. */
  readonly stepsMax: () => number;
  /** By the queue of the limited task's steps. */
  readonly limits: ReadonlyMap<string, TaskLimit>;
  readonly clock: Clock;
  /** Something was refused, and now there is room again. */
  readonly onRoom: () => void;
}

export class StepSlots {
  readonly #options: StepSlotsOptions;
  readonly #limiters = new Map<string, Limiter>();
  readonly #places: Places = { taken: 0, vacated: 0 };
  #refused = false;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(options: StepSlotsOptions) {
    this.#options = options;
    for (const [taskQueue, limit] of options.limits) {
      this.#limiters.set(taskQueue, new Limiter(limit));
    }
  }

  get taken(): number {
    return this.#places.taken + this.#places.vacated;
  }

  /** How many more there are for steps that wait. */
  free(taskQueue: string): number {
    const limiter = this.#limiters.get(taskQueue);
    const free = this.#options.stepsMax() - this.#places.taken - this.#places.vacated;
    const allowed = limiter ? Math.min(free, limiter.free(this.#options.clock.now())) : free;
    if (allowed <= 0) this.#refuse(limiter);
    return Math.max(0, allowed);
  }

  /** For a step that follows from what is written now, a place that another has just left will do. */
  reserve(taskQueue: string): StepSlot | undefined {
    if (this.#places.taken >= this.#options.stepsMax()) {
      this.#refuse(undefined);
      return undefined;
    }
    const limiter = this.#limiters.get(taskQueue);
    if (limiter && !limiter.take(this.#options.clock.now())) {
      this.#refuse(limiter);
      return undefined;
    }
    return new Slot(this.#places, limiter, () => {
      // No step ends here that would tell of the room; whoever gave the place back may take it again first.
      if (this.#refused) this.#tellIn(1);
    });
  }

  /** The code of the step has ended. Until the slot is released, its place is kept for what follows from its answer. */
  vacate(slot: StepSlot): void {
    if (slot instanceof Slot) slot.vacate();
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

/** How many places are held; and how many were, by steps whose answers are not written yet. */
interface Places {
  taken: number;
  vacated: number;
}

class Slot implements StepSlot {
  readonly limiter: Limiter | undefined;
  readonly #places: Places;
  readonly #onGivenBack: () => void;
  #state: 'taken' | 'vacated' | 'released' = 'taken';
  #started = false;

  constructor(places: Places, limiter: Limiter | undefined, onGivenBack: () => void) {
    this.#places = places;
    this.limiter = limiter;
    this.#onGivenBack = onGivenBack;
    places.taken += 1;
  }

  start(now: number): void {
    if (this.#started || this.#state !== 'taken') return;
    this.#started = true;
    this.limiter?.start(now);
  }

  vacate(): void {
    if (this.#state !== 'taken') return;
    this.#state = 'vacated';
    this.#places.taken -= 1;
    this.#places.vacated += 1;
    this.limiter?.vacate(this.#started);
  }

  release(): void {
    if (this.#state === 'released') return;
    const given = this.#state === 'taken' && !this.#started;
    this.vacate();
    this.#state = 'released';
    this.#places.vacated -= 1;
    this.limiter?.release();
    if (given) this.#onGivenBack();
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
  readonly #places: Places = { taken: 0, vacated: 0 };

  constructor({ concurrent, perSecond = Infinity }: TaskLimit) {
    this.#concurrent = concurrent ?? Infinity;
    this.#startsMax = perSecond === Infinity ? Infinity : Math.max(1, Math.floor(perSecond));
    // One more, as the clock counts whole milliseconds: two starts that are 1,000 of them apart may be 999.1 ms apart.
    this.#windowMs = Math.max(1000, Math.ceil(1000 / perSecond)) + 1;
  }

  /** For steps that wait. */
  free(now: number): number {
    return this.#open(now, this.#places.taken + this.#places.vacated);
  }

  take(now: number): boolean {
    if (this.#open(now, this.#places.taken) <= 0) return false;
    this.#places.taken += 1;
    this.#given += 1;
    return true;
  }

  start(now: number): void {
    this.#given -= 1;
    if (this.#startsMax !== Infinity) this.#starts.push(now);
  }

  vacate(started: boolean): void {
    this.#places.taken -= 1;
    this.#places.vacated += 1;
    if (!started) this.#given -= 1;
  }

  release(): void {
    this.#places.vacated -= 1;
  }

  /** Until the rate lets one more start; 0 when it is not time that holds it. */
  waitMs(now: number): number {
    this.#forget(now);
    const oldest = this.#starts[0];
    return this.#left() > 0 || oldest === undefined ? 0 : oldest + this.#windowMs - now;
  }

  #open(now: number, taken: number): number {
    this.#forget(now);
    return Math.min(this.#concurrent - taken, this.#left());
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
