/**
 * Calls that wait for a run to change: history long polls. Woken by this process's own commits at once, and by
 * another's when it rings (or at the next sweep): then the versions of the waited-for runs are compared.
 */
import { engineStopped } from '../service/service-error.ts';
import type { ServiceError } from '../service/service-error.ts';
import type { RunRef, Store } from '../store/store.ts';
import type { LiveRun } from './unit.ts';

interface Waiter {
  readonly run: LiveRun;
  /** What it has seen. */
  version: number;
  readonly isMet: (() => boolean) | undefined;
  readonly wake: () => void;
}

export class Waiters {
  readonly #store: Store;
  readonly #byRun = new Map<RunRef, Set<Waiter>>();
  /** Every call that waits, whatever for. */
  readonly #calls = new Set<AbortController>();
  #checking = false;
  #again = false;
  #refusal: ((cause?: unknown) => ServiceError) | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  get size(): number {
    return this.#byRun.size;
  }

  /** When nothing that is waited for will come: what those are told who wait, and those who come later. */
  refusal(cause?: unknown): ServiceError | undefined {
    return this.#refusal?.(cause);
  }

  /** A call that is to be aborted when the engine stops, until `forget`. */
  hold(call: AbortController): void {
    if (this.#refusal) call.abort();
    else this.#calls.add(call);
  }

  forget(call: AbortController): void {
    this.#calls.delete(call);
  }

  /** The engine is stopped, or cannot go on for that reason. */
  stop(refusal: (cause?: unknown) => ServiceError = engineStopped): void {
    this.#refusal = refusal;
    for (const call of this.#calls) call.abort();
    this.#calls.clear();
  }

  /**
   * Resolves when the run has a version other than the one it has now, or on the signal. With `isMet`, the commits of
   * this process that leave it unmet are passed over, which spares the waiter a turn for each of them.
   */
  wait(run: LiveRun, ref: RunRef, signal: AbortSignal, isMet?: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#byRun.get(ref) ?? new Set<Waiter>();
      const done = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#byRun.get(ref) === waiters) this.#byRun.delete(ref);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const waiter: Waiter = { run, version: run.version, isMet, wake: done };
      waiters.add(waiter);
      this.#byRun.set(ref, waiters);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }

  committed(run: LiveRun, ref: RunRef): void {
    const waiters = this.#byRun.get(ref);
    if (!waiters) return;
    for (const waiter of waiters) {
      if (waiter.run === run && waiter.isMet?.() === false) waiter.version = run.version;
      else waiter.wake();
    }
  }

  /** Another process may have written. */
  async check(): Promise<void> {
    if (this.#byRun.size === 0) return;
    if (this.#checking) {
      this.#again = true;
      return;
    }
    this.#checking = true;
    try {
      do {
        this.#again = false;
        const heads = await this.#store.runs.heads({ refs: [...this.#byRun.keys()] });
        const found = new Map(heads.map((head) => [head.ref, head.version]));
        for (const [ref, waiters] of this.#byRun) {
          const version = found.get(ref);
          for (const waiter of waiters) if (waiter.version !== version) waiter.wake();
        }
      } while (this.#again);
    } finally {
      this.#checking = false;
    }
  }
}
