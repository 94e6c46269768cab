/** Runs whose stored bytes are damaged: each is told of once and then left alone, so that the others go on. */
import type { Logger } from '../service/logger.ts';
import { StoreError } from '../store/store.ts';
import type { RunRef } from '../store/store.ts';

/** The one run that the error says is damaged. */
export function damagedRun(error: unknown): RunRef | undefined {
  if (error instanceof StoreError) return error.damagedRun;
  return error instanceof Error && error.cause !== undefined ? damagedRun(error.cause) : undefined;
}

/** Until the process starts anew: nothing mends a run while the file is in use. */
export class Quarantine {
  readonly #logger: Logger;
  readonly #refs = new Set<RunRef>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get size(): number {
    return this.#refs.size;
  }

  has(ref: RunRef): boolean {
    return this.#refs.has(ref);
  }

  /** Whether the error says that a run is damaged; if so the run is in here from now on. */
  takes(error: unknown): boolean {
    const ref = damagedRun(error);
    if (ref === undefined) return false;
    if (!this.#refs.has(ref)) {
      this.#refs.add(ref);
      this.#logger.error('A stored run is damaged and is left alone; the others go on', {
        ref,
        error,
      });
    }
    return true;
  }
}
