/**
 * How many steps may run at once so that the process stays at its target: fewer while it is over it, more while it is
 * under it and there is more to run. It takes no step away that runs, and lets one run whatever the load is.
 */
import type { Clock, Timer } from '../service/clock.ts';
import type { Load } from '../service/process-load.ts';

export interface LoadTarget {
  /** Of one core, above 0 and up to 1. */
  readonly cpu?: number;
  /** Of the memory that the process may have, above 0 and up to 1. */
  readonly memory?: number;
}

export interface StepTargetOptions {
  readonly target: LoadTarget;
  readonly stepsMax: number;
  /** What is used now. */
  readonly sampleLoad: () => Load;
  /** Steps that run now. */
  readonly taken: () => number;
  readonly clock: Clock;
  /** There are more places than there were. */
  readonly onRoom: () => void;
}

const lookMs = 1_000;
const placesAtFirst = 8;
/** Of what runs, while it is too much. */
const shrunk = 0.8;
/** Of the places, while there is room for more. */
const grown = 1.25;
/** That near to its target it is left as it is. */
const near = 0.95;

export class StepTarget {
  readonly #options: StepTargetOptions;
  #places: number;
  #timer: Timer | undefined;

  constructor(options: StepTargetOptions) {
    this.#options = options;
    this.#places = Math.min(placesAtFirst, options.stepsMax);
  }

  get places(): number {
    return this.#places;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(lookMs, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { target, stepsMax, sampleLoad, taken, onRoom } = this.#options;
    const { cpu, memory } = sampleLoad();
    const used = Math.max(cpu / (target.cpu ?? Infinity), memory / (target.memory ?? Infinity));
    const running = taken();
    if (used > 1) {
      this.#places = Math.max(1, Math.floor(Math.min(this.#places, running) * shrunk));
    } else if (used < near && running >= this.#places && this.#places < stepsMax) {
      this.#places = Math.min(stepsMax, Math.ceil(this.#places * grown));
      onRoom();
    }
  }
}
