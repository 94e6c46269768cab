/**
 * How a commit over a network is made so that what became of it can always be told.
 *
 * Commits go by lanes. A lane has a fence, a row that each of its commits locks: when the answer to a commit is lost,
 * the row is deleted before anything else is asked. That waits for the commit if the server still works on it, and
 * refuses it if it comes later. So what is read afterwards is what became of it.
 */

/** Commits at the same time. */
const lanesMax = 4;

interface Lane {
  fence: number | undefined;
}

export interface CommitLanesOptions {
  /** Makes the row of a fence. */
  readonly newFence: () => Promise<number>;
  readonly deleteFences: (fences: readonly number[]) => Promise<void>;
  /** What an error says of the commit: undone, refused because its fence is gone, or nothing. */
  readonly verdictOn: (cause: unknown) => 'undone' | 'fenceGone' | 'unknown';
  readonly errorOf: (cause: unknown) => Error;
}

export class CommitLanes {
  readonly #options: CommitLanesOptions;
  readonly #free: Lane[] = [];
  readonly #waiting: ((lane: Lane) => void)[] = [];
  #lanes = 0;
  /** Fences of commits of which it is not known what became of them. */
  readonly #doubts = new Set<number>();
  #settling: Promise<void> | undefined;

  constructor(options: CommitLanesOptions) {
    this.#options = options;
  }

  /**
   * A commit on a lane of its own. Throws what `ask` threw when it was undone, and the error of `errorOf` when it is
   * not known what became of it.
   */
  async commit<T>(ask: (fence: number) => Promise<T>): Promise<T> {
    const { newFence, verdictOn, errorOf } = this.#options;
    await this.settle();
    const lane = await this.#lane();
    try {
      for (;;) {
        const fence = (lane.fence ??= await newFence());
        try {
          return await ask(fence);
        } catch (cause) {
          const verdict = isUnsent(cause) ? 'undone' : verdictOn(cause);
          if (verdict === 'undone') throw cause;
          lane.fence = undefined;
          if (verdict === 'fenceGone') continue;
          this.#doubts.add(fence);
          // Whoever reads now what became of it must not be too early.
          await this.settle();
          throw errorOf(cause);
        }
      }
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  /** Resolves when there is no commit of which it is not known what became of it. */
  settle(): Promise<void> | undefined {
    if (this.#doubts.size === 0) return undefined;
    this.#settling ??= this.#deleteDoubts().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** Those that are left are removed by whoever opens the store a week later. */
  async close(): Promise<void> {
    const fences = this.#free.flatMap(({ fence }) => fence ?? []);
    if (fences.length > 0) await this.#options.deleteFences(fences).catch(() => undefined);
  }

  #lane(): Promise<Lane> | Lane {
    const free = this.#free.pop();
    if (free) return free;
    if (this.#lanes < lanesMax) {
      this.#lanes += 1;
      return { fence: undefined };
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #deleteDoubts(): Promise<void> {
    const fences = [...this.#doubts];
    try {
      await this.#options.deleteFences(fences);
    } catch (cause) {
      throw this.#options.errorOf(cause);
    }
    for (const fence of fences) this.#doubts.delete(fence);
  }
}

/** Errors of statements that never reached the server. */
const unsentErrors = new WeakSet<object>();

export function unsent(error: Error): Error {
  unsentErrors.add(error);
  return error;
}

export function isUnsent(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && unsentErrors.has(cause);
}
