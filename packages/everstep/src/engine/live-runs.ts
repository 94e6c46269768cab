/** The runs in memory. */
import type { LiveRun } from './unit.ts';

/** Least recently used runs leave first; one that is at work never does. */
export class LiveRuns {
  readonly #runs = new Map<string, LiveRun>();
  /** The newest run of each workflow id. */
  readonly #newest = new Map<string, LiveRun>();
  readonly #runsMax: number;

  constructor(runsMax: number) {
    this.#runsMax = runsMax;
  }

  get(runId: string): LiveRun | undefined {
    const run = this.#runs.get(runId);
    if (run) {
      this.#runs.delete(runId);
      this.#runs.set(runId, run);
    }
    return run;
  }

  /** The newest run of the workflow id that is here; another process may have started one since. */
  newest(namespaceId: string, workflowId: string): LiveRun | undefined {
    const run = this.#newest.get(chainKey(namespaceId, workflowId));
    return run && this.get(run.key.runId);
  }

  add(run: LiveRun): void {
    this.#runs.set(run.key.runId, run);
    this.#newest.set(chainKey(run.key.namespaceId, run.key.workflowId), run);
    if (this.#runs.size <= this.#runsMax) return;
    for (const candidate of this.#runs.values()) {
      if (candidate.part) continue;
      this.#forget(candidate);
      if (this.#runs.size <= this.#runsMax) return;
    }
  }

  drop(run: LiveRun): void {
    run.dropped = true;
    this.#forget(run);
  }

  #forget(run: LiveRun): void {
    const { runId, namespaceId, workflowId } = run.key;
    if (this.#runs.get(runId) === run) this.#runs.delete(runId);
    const chain = chainKey(namespaceId, workflowId);
    if (this.#newest.get(chain) === run) this.#newest.delete(chain);
  }
}

function chainKey(namespaceId: string, workflowId: string): string {
  return `${namespaceId}\0${workflowId}`;
}
