/**
 * Units whose commit waits for a transaction that somebody else keeps open: a start under an id that lies there. They
 * are tried again beside the queue of commits, one at a time, so that nothing else waits with them, until that
 * transaction ends or they have waited for too long.
 */
import type { Clock } from '../service/clock.ts';
import type { CommitGroup, StoreError } from '../store/store.ts';
import type { Unit } from './unit.ts';

/** As long as a database may take for an answer. */
const heldMsMax = 30_000;
const pauseMsMin = 20;
const pauseMsMax = 500;

interface Held {
  readonly unit: Unit;
  readonly group: CommitGroup;
  readonly since: number;
  /** What the store said last. */
  readonly error: StoreError;
}

export interface HeldUnitsOptions {
  readonly clock: Clock;
  /** Tries once more; what the store says if it is still held. */
  readonly write: (unit: Unit, group: CommitGroup) => Promise<StoreError | undefined>;
  readonly fail: (unit: Unit, error: StoreError) => void;
}

export class HeldUnits {
  readonly #options: HeldUnitsOptions;
  #held: Held[] = [];
  #working: Promise<void> | undefined;
  #endPause: (() => void) | undefined;
  #givesUp = false;

  constructor(options: HeldUnitsOptions) {
    this.#options = options;
  }

  add(unit: Unit, group: CommitGroup, error: StoreError): void {
    this.#held.push({ unit, group, since: this.#options.clock.now(), error });
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Those that are still held fail. Resolves when none is left. */
  async giveUp(): Promise<void> {
    this.#givesUp = true;
    this.#endPause?.();
    await this.#working;
    this.#givesUp = false;
  }

  async #work(): Promise<void> {
    const { write } = this.#options;
    let pauseMs = pauseMsMin;
    while (this.#held.length > 0) {
      await this.#wait(pauseMs);
      const tried = this.#held.splice(0);
      const still: Held[] = [];
      for (const held of tried) {
        if (this.#isLost(held)) continue;
        const error = await write(held.unit, held.group);
        if (error) still.push({ ...held, error });
      }
      pauseMs = still.length < tried.length ? pauseMsMin : Math.min(2 * pauseMs, pauseMsMax);
      this.#held.unshift(...still);
    }
  }

  #isLost({ unit, since, error }: Held): boolean {
    const { clock, fail } = this.#options;
    if (!this.#givesUp && clock.now() - since < heldMsMax) return false;
    fail(unit, error);
    return true;
  }

  #wait(ms: number): Promise<void> {
    if (this.#givesUp) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#endPause = undefined;
        resolve();
      };
      const timer = this.#options.clock.setTimer(ms, end);
      this.#endPause = end;
    });
  }
}
