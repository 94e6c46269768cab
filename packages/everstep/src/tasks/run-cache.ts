/**
 * Runs that are live in this process, by run id. The least recently used leaves first. One that nobody asks for any more
 * leaves too, for another process may have driven it on and ended it, and nobody tells this one.
 */
import type { Clock } from '../service/clock.ts';
import type { LiveRun } from './live-run.ts';

export interface RunCacheOptions {
  readonly runsMax: number;
  readonly clock: Clock;
}

interface Kept {
  readonly run: LiveRun;
  usedAt: number;
}

const idleMsMax = 10 * 60_000;
const sweepEveryMs = 60_000;

export class RunCache {
  readonly #runs = new Map<string, Kept>();
  readonly #options: RunCacheOptions;
  #sweptAt: number;

  constructor(options: RunCacheOptions) {
    this.#options = options;
    this.#sweptAt = options.clock.now();
  }

  get(runId: string): LiveRun | undefined {
    const kept = this.#runs.get(runId);
    if (kept === undefined) return undefined;
    kept.usedAt = this.#options.clock.now();
    // Moving it to the end costs: only where somebody may have to leave soon.
    if (this.#runs.size > this.#options.runsMax / 2) {
      this.#runs.delete(runId);
      this.#runs.set(runId, kept);
    }
    return kept.run;
  }

  set(run: LiveRun): void {
    const now = this.#options.clock.now();
    const kept = this.#runs.get(run.runId);
    if (kept?.run === run) kept.usedAt = now;
    else this.#runs.set(run.runId, { run, usedAt: now });
    if (Math.abs(now - this.#sweptAt) >= sweepEveryMs) this.#sweep(now);
    if (this.#runs.size <= this.#options.runsMax) return;
    for (const runId of this.#runs.keys()) {
      this.#runs.delete(runId);
      return;
    }
  }

  delete(runId: string): void {
    this.#runs.delete(runId);
  }

  /** Unless another object has taken its place. */
  drop(run: LiveRun): void {
    if (this.#runs.get(run.runId)?.run === run) this.#runs.delete(run.runId);
  }

  /** Only when one comes, so that it needs no timer: while none comes, no more are kept. */
  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const [runId, { usedAt }] of this.#runs) {
      if (now - usedAt >= idleMsMax) this.#runs.delete(runId);
    }
  }

  heldUpTo(runId: string): number | undefined {
    const run = this.get(runId);
    return run === undefined || run.stopped ? undefined : run.position;
  }

  /** WT-26. Not one that was driven on since, or begun anew. */
  rewind(runId: string, from: number, to: number): void {
    const run = this.get(runId);
    if (run?.position === from && !run.stopped) run.position = to;
  }
}
