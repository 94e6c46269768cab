/** A real store with other calls, or with a tap on its commits: counts them, holds them back, or makes some fail. */
import { StoreError } from '../src/store/store.ts';
import type { CommitGroup, CommitResult, Store } from '../src/store/store.ts';

/** The store with some calls of a noun replaced. */
export function storeWith<Noun extends 'runs' | 'history' | 'tasks' | 'processes'>(
  store: Store,
  noun: Noun,
  calls: Partial<Store[Noun]>,
): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === noun) return { ...target[noun], ...calls };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

export class StoreTap {
  /** Groups that were committed: those that changed a run. */
  commits = 0;
  /** How many of the next commits fail, and with what. */
  failures: unknown[] = [];
  /** How many of the next commits are written and answered with an error. */
  lostAnswers = 0;
  /** Runs before a commit; resolve it to let the commit go on. */
  before: (() => Promise<void> | void) | undefined;
  /** Runs after a commit and before its answer; resolve it to let the answer go. */
  after: (() => Promise<void> | void) | undefined;
  /** Runs before a read of a history; resolve it to let the read go on. */
  beforeRead: (() => Promise<void> | void) | undefined;
  /** What became of the last commit. */
  results: readonly CommitResult[] = [];

  readonly wrap = (store: Store): Store =>
    new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'commit')
          return (groups: readonly CommitGroup[]) => this.#commit(target, groups);
        if (name === 'history') return this.#history(target.history);
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      },
    });

  #history(history: Store['history']): Store['history'] {
    return {
      read: async (...request: Parameters<Store['history']['read']>) => {
        await this.beforeRead?.();
        return history.read(...request);
      },
    };
  }

  async #commit(store: Store, groups: readonly CommitGroup[]): Promise<readonly CommitResult[]> {
    await this.before?.();
    if (this.failures.length > 0) throw this.failures.shift();
    this.results = await store.commit(groups);
    this.commits += this.results.filter(({ outcome }) => outcome === 'committed').length;
    await this.after?.();
    if (this.lostAnswers > 0) {
      this.lostAnswers -= 1;
      throw new StoreError('STORE_FAILED', 'The answer was lost.');
    }
    return this.results;
  }
}

/** What a tap, or a call of a store, waits for. */
export class Hold {
  release: () => void = () => undefined;
  readonly released = new Promise<void>((resolve) => (this.release = resolve));
}
