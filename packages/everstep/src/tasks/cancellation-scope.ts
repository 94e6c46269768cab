/** What is cancelled together. Scopes form a tree whose root is the run; a shielded one is not reached from above. */
import { CancelledFailure } from '@temporalio/common';

export class CancellationScope {
  readonly #parent: CancellationScope | undefined;
  readonly #shielded: boolean;
  readonly #controller = new AbortController();
  readonly #children = new Set<CancellationScope>();

  constructor(parent?: CancellationScope, shielded = false) {
    this.#parent = parent;
    this.#shielded = shielded;
    if (parent) parent.#children.add(this);
    if (parent && !shielded && parent.signal.aborted) this.#controller.abort(parent.signal.reason);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** It is that scope, or one below it that no shield keeps from it. */
  isWithin(scope: CancellationScope): boolean {
    if (scope === this) return true;
    return !this.#shielded && this.#parent !== undefined && this.#parent.isWithin(scope);
  }

  /** Tells this scope and those below it that no shield keeps from it. */
  abort(reason: CancelledFailure): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    for (const child of this.#children) if (!child.#shielded) child.abort(reason);
  }

  /** Nothing more is asked in it. */
  leave(): void {
    if (this.#parent) this.#parent.#children.delete(this);
  }
}
