/** The runs in memory. */
import type { LiveRun } from './unit.ts';

/** Least recently used runs leave first; one that is at work never does. */
export class LiveRuns {
  readonly #runs = new Map<string, LiveRun>();
  readonly #runsMax: number;

  constructor(runsMax: number) {
    this.#runsMax = runsMax;
  }

  get size(): number {
    return this.#runs.size;
  }

  get(runId: string): LiveRun | undefined {
    const run = this.#runs.get(runId);
    if (run) {
      this.#runs.delete(runId);
      this.#runs.set(runId, run);
    }
    return run;
  }

  add(run: LiveRun): void {
    this.#runs.set(run.key.runId, run);
    if (this.#runs.size <= this.#runsMax) return;
    for (const [runId, candidate] of this.#runs) {
      if (candidate.part) continue;
      this.#runs.delete(runId);
      if (this.#runs.size <= this.#runsMax) return;
    }
  }

  drop(run: LiveRun): void {
    run.dropped = true;
    if (this.#runs.get(run.key.runId) === run) this.#runs.delete(run.key.runId);
  }
}
