/** Runs that are live in this process, by run id. The least recently used leaves first. */
import type { LiveRun } from './live-run.ts';

export class RunCache {
  readonly #runs = new Map<string, LiveRun>();
  readonly #runsMax: number;

  constructor(runsMax: number) {
    this.#runsMax = runsMax;
  }

  get(runId: string): LiveRun | undefined {
    const run = this.#runs.get(runId);
    // Moving it to the end costs: only where somebody may have to leave soon.
    if (run && this.#runs.size > this.#runsMax / 2) {
      this.#runs.delete(runId);
      this.#runs.set(runId, run);
    }
    return run;
  }

  set(run: LiveRun): void {
    this.#runs.set(run.runId, run);
    if (this.#runs.size <= this.#runsMax) return;
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
    if (this.#runs.get(run.runId) === run) this.#runs.delete(run.runId);
  }
}
