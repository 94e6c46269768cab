/**
 * One generator of a task's code, and the branches of `all` and `race`. A coroutine runs until it waits for one
 * thing; a plain generator does so without a promise, an async one settles within microtasks. What it asks goes to
 * its Host (run.ts), which answers at once or later.
 */
import type { Wait, Waiter } from './journal.ts';
import { isThrown, TaskCodeError } from './task-errors.ts';

/** A generator, whether native, wrapped or down-levelled, plain or async. */
export interface GeneratorLike {
  next(value?: unknown): unknown;
  throw(error: unknown): unknown;
}

export function isGenerator(value: unknown): value is GeneratorLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as GeneratorLike).next === 'function' &&
    typeof (value as GeneratorLike).throw === 'function'
  );
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}

/** Nobody will wait for what is refused: a promise among it that is rejected must not end the process. */
export function disown(value: unknown): void {
  if (isPromiseLike(value)) value.then(undefined, () => undefined);
}

/** Something the code waits for. */
export type Pending = Wait | Coroutine | Join;

export interface Host {
  /** Nothing more is driven: the run ended or broke down. */
  readonly stopped: boolean;
  /** Answers through the waiter, at once or later. What is returned can be cancelled while it waits. */
  ask(operation: unknown, waiter: Waiter, owner: Coroutine): Pending | undefined;
  /** Nobody wants it any more: whoever waits hears of a cancel, unless it is shielded. */
  cancel(pending: Pending): void;
  /** A generator is at work behind promises… */
  began(): void;
  /** …and waits or is done. */
  rested(): void;
  breakDown(error: unknown): void;
}

const next = 0;
const raise = 1;
type Mode = typeof next | typeof raise;

export class Coroutine implements Waiter {
  readonly generator: GeneratorLike;
  readonly #host: Host;
  readonly #parent: Waiter;
  #waitsFor: Pending | undefined;
  /** It is running, or its question is being asked: an answer is taken up by the loop. */
  #busy = false;
  #answered = false;
  #mode: Mode = next;
  #value: unknown;
  #onResult: ((result: unknown) => void) | undefined;
  #onThrow: ((error: unknown) => void) | undefined;
  /** Its race is lost: what it asks from now on is refused. */
  cancelled: boolean;

  constructor(generator: GeneratorLike, host: Host, parent: Waiter, cancelled: boolean) {
    this.generator = generator;
    this.#host = host;
    this.#parent = parent;
    this.cancelled = cancelled;
  }

  start(): void {
    this.#advance(next, undefined);
  }

  resolve(value: unknown): void {
    this.#answer(next, value);
  }

  reject(error: unknown): void {
    this.#answer(raise, error);
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    if (this.#waitsFor) this.#host.cancel(this.#waitsFor);
  }

  #answer(mode: Mode, value: unknown): void {
    if (this.#host.stopped) return;
    if (this.#busy) {
      this.#answered = true;
      this.#mode = mode;
      this.#value = value;
      return;
    }
    this.#waitsFor = undefined;
    this.#advance(mode, value);
  }

  #advance(mode: Mode, value: unknown): void {
    this.#busy = true;
    for (;;) {
      let result: unknown;
      try {
        result = mode === next ? this.generator.next(value) : this.generator.throw(value);
      } catch (error) {
        this.#threw(error);
        return;
      }
      if (isPromiseLike(result)) {
        this.#await(result);
        return;
      }
      if (!this.#take(result)) return;
      mode = this.#mode;
      value = this.#value;
      this.#value = undefined;
    }
  }

  /** The code broke a rule of tasks between its steps: it waits for corrected code, and the run is unharmed. */
  #threw(error: unknown): void {
    if (isThrown(error, TaskCodeError)) this.#host.breakDown(error);
    else this.#parent.reject(error);
  }

  #await(result: PromiseLike<unknown>): void {
    this.#onResult ??= (settled) => {
      this.#settled(settled);
    };
    this.#onThrow ??= (error) => {
      if (!this.#host.stopped) this.#threw(error);
      this.#host.rested();
    };
    this.#host.began();
    result.then(this.#onResult, this.#onThrow);
  }

  #settled(result: unknown): void {
    try {
      if (!this.#host.stopped && this.#take(result)) {
        const value = this.#value;
        this.#value = undefined;
        this.#advance(this.#mode, value);
      }
    } catch (error) {
      this.#host.breakDown(error);
    }
    this.#host.rested();
  }

  /** True when the generator has its answer already and goes on with `#mode` and `#value`. */
  #take(result: unknown): boolean {
    const { done, value } = result as IteratorResult<unknown>;
    if (done) {
      this.#parent.resolve(value);
      return false;
    }
    this.#answered = false;
    const waitsFor = this.#host.ask(value, this, this);
    if (this.#host.stopped) return false;
    if (this.#answered) return true;
    this.#waitsFor = waitsFor;
    this.#busy = false;
    return false;
  }
}

/** Where the branches of `all` or `race` come together. */
export class Join {
  readonly #host: Host;
  readonly #parent: Waiter;
  readonly #race: boolean;
  readonly #results: unknown[] = [];
  readonly #branches: (Pending | undefined)[] = [];
  #left: number;
  decided = false;

  constructor(host: Host, parent: Waiter, race: boolean, count: number) {
    this.#host = host;
    this.#parent = parent;
    this.#race = race;
    this.#left = count;
  }

  /** What can be cancelled of the branch, unless it has ended already. */
  started(index: number, branch: Pending | undefined): void {
    if (branch && !(index in this.#results)) this.#branches[index] = branch;
    // A race that was decided while its branches started.
    if (this.#race && this.decided) this.#drop(index);
  }

  ended(index: number, value: unknown): void {
    this.#branches[index] = undefined;
    this.#results[index] = value;
    if (this.decided) return;
    if (this.#race) {
      this.#decide(index);
      this.#parent.resolve({ index, value });
      return;
    }
    this.#left -= 1;
    if (this.#left > 0) return;
    this.decided = true;
    this.#parent.resolve(this.#results);
  }

  failed(index: number, error: unknown): void {
    this.#branches[index] = undefined;
    this.#results[index] = undefined;
    if (this.decided) return;
    if (this.#race) this.#decide(index);
    else this.decided = true;
    this.#parent.reject(error);
  }

  #decide(winner: number): void {
    this.decided = true;
    for (let index = 0; index < this.#branches.length; index += 1) {
      if (index !== winner) this.#drop(index);
    }
  }

  cancel(): void {
    for (let index = 0; index < this.#branches.length; index += 1) this.#drop(index);
  }

  #drop(index: number): void {
    const branch = this.#branches[index];
    if (branch) this.#host.cancel(branch);
  }
}

/** One branch's place in a join. */
export class JoinSlot implements Waiter {
  readonly #join: Join;
  readonly #index: number;

  constructor(join: Join, index: number) {
    this.#join = join;
    this.#index = index;
  }

  resolve(value: unknown): void {
    this.#join.ended(this.#index, value);
  }

  reject(error: unknown): void {
    this.#join.failed(this.#index, error);
  }
}
