/** What the code waits for until it holds: asked when it is said, and after every event. */
import type { Deferred } from './context-promise.ts';
import { disown, isPromiseLike } from './coroutine.ts';
import { TaskCodeError } from './task-errors.ts';

interface Condition {
  readonly predicate: () => boolean;
  readonly deferred: Deferred;
}

export class Conditions {
  readonly #open = new Set<Condition>();
  readonly #refuse: (error: TaskCodeError) => void;

  /** @param refuse A predicate that cannot be asked goes there. */
  constructor(refuse: (error: TaskCodeError) => void) {
    this.#refuse = refuse;
  }

  add(deferred: Deferred, predicate: () => boolean): void {
    const condition = { predicate, deferred };
    this.#open.add(condition);
    deferred.whenSettled(() => this.#open.delete(condition));
    this.#ask(condition);
  }

  /** In the order in which they were said. */
  check(): void {
    for (const condition of this.#open) this.#ask(condition);
  }

  #ask({ predicate, deferred }: Condition): void {
    let holds: unknown;
    try {
      holds = predicate();
    } catch (error) {
      deferred.reject(error);
      return;
    }
    if (isPromiseLike(holds)) {
      disown(holds);
      this.#refuse(
        new TaskCodeError(
          'CONTEXT_MISUSED',
          'The predicate of a condition returned a promise; expected true or false',
        ),
      );
    } else if (holds) deferred.resolve(true);
  }
}
