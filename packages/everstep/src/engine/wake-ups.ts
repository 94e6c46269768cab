/**
 * Deadlines (decision 4): sweeps runs whose wakeAt has come and lets everything due in them happen. The column is
 * the truth; the timer in memory only makes it prompt.
 */
import type { Clock, Timer } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import type { RunRef, Store } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { Quarantine } from './quarantine.ts';

const sweepRunsMax = 500;
/** After a store has failed. */
const retryMs = 1_000;
/** A timer is never set further ahead: clocks change, and other processes write. */
const timerMsMax = 60_000;

export interface WakeUpsOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly quarantine: Quarantine;
  /** Whether this process should act on that run now, or leave it to another a little longer. */
  readonly mine: (ref: RunRef, overdueMs: number) => boolean;
}

export class WakeUps {
  readonly #options: WakeUpsOptions;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #sweeping: Promise<void> | undefined;
  /** A timer ran out during a sweep that may not have seen what it was set for. */
  #sweepAgain = false;
  #stopped = true;
  readonly #busy = new Set<RunRef>();

  constructor(options: WakeUpsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#set(this.#options.clock.now());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  /** A commit has given a run that deadline. */
  note(wakeAt: number): void {
    if (wakeAt !== 0 && wakeAt < this.#timerAt) this.#set(wakeAt);
  }

  #set(at: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    const now = this.#options.clock.now();
    const wait = Math.min(Math.max(Math.ceil(at - now), 0), timerMsMax);
    this.#timerAt = now + wait;
    this.#timer = this.#options.clock.setTimer(wait, () => {
      this.#timerAt = Infinity;
      void this.sweep();
    });
  }

  /** Everything due now; one sweep at a time. */
  sweep(): Promise<void> {
    if (this.#sweeping) this.#sweepAgain = true;
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { store, clock, logger, quarantine } = this.#options;
    this.#sweepAgain = false;
    let next = 0;
    try {
      const now = clock.now();
      const limit = sweepRunsMax + quarantine.size;
      const due = await store.runs.due({ now, limit });
      let left = false;
      const woken: Promise<boolean>[] = [];
      for (const { ref, wakeAt } of due) {
        if (this.#busy.has(ref) || quarantine.has(ref)) continue;
        if (this.#options.mine(ref, now - wakeAt)) woken.push(this.#wake(ref, wakeAt));
        else left = true;
      }
      const results = await Promise.all(woken);
      // What could not be written is still due, and would be at once again.
      if (results.includes(false)) next = clock.now() + retryMs;
      else if (due.length === limit) next = clock.now();
      else if (left) next = clock.now() + 100;
      else next = await this.nextWakeAt();
    } catch (error) {
      logger.error('Deadlines could not be swept; trying again', { error });
      next = clock.now() + retryMs;
    }
    if (this.#sweepAgain) next = clock.now();
    if (next !== 0 && next < this.#timerAt) this.#set(Math.max(next, clock.now()));
  }

  /** The earliest deadline of a run that can be woken, 0 = none; `seen` is that of all runs, where it is known. */
  async nextWakeAt(seen?: number): Promise<number> {
    const { store, quarantine } = this.#options;
    if (quarantine.size === 0) return seen ?? store.runs.nextWakeAt();
    const limit = quarantine.size + 1;
    const first = await store.runs.due({ now: Number.MAX_SAFE_INTEGER, limit });
    return first.find(({ ref }) => !quarantine.has(ref))?.wakeAt ?? 0;
  }

  /** False when it failed and must be done again. */
  async #wake(ref: RunRef, wakeAt: number): Promise<boolean> {
    const { store, executor, logger, quarantine } = this.#options;
    this.#busy.add(ref);
    try {
      const stored = await store.runs.loadByRef({ ref });
      if (!stored) return true;
      const run = executor.adopt(stored);
      return await new Promise<boolean>((resolve) => {
        executor.apply(run, {
          input: { kind: 'wake', dueAt: wakeAt },
          settle: (outcome) => {
            resolve(outcome.ok || 'refusal' in outcome);
          },
          // An early wake-up (see columns.ts) changes nothing but the column, which must move on.
          onApplied: (part) => {
            part.changed = true;
          },
        });
      });
    } catch (error) {
      if (quarantine.takes(error)) return true;
      logger.error('A run could not be woken; trying again', { ref, error });
      return false;
    } finally {
      this.#busy.delete(ref);
    }
  }
}
