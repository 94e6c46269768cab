/**
 * The promises of a context. They know whether they are awaited, so that code which awaits anything else is found;
 * and neither they nor what is derived from them by `then` ever ends the process, when nobody looks at a rejection.
 */
import type { Waiter } from './journal.ts';
import { letGo } from './loose-rejections.ts';

const ignore = (): void => undefined;

export class ContextPromise<T> extends Promise<T> {
  /** Called when somebody begins to wait for it. */
  declare onAwaited?: (() => void) | undefined;

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  override then<A = T, B = never>(
    onResolved?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.onAwaited?.();
    const derived = super.then(onResolved, onRejected);
    quieten(derived);
    return derived;
  }
}

/** A rejection of it that nobody looks at is no event of the process. */
function quieten(promise: Promise<unknown>): void {
  // The method of the base class: looking away is not awaiting.
  void Promise.prototype.then.call(promise, undefined, ignore);
}

/** Who wants to know of a deferred's life. */
export interface DeferredOwner {
  /** Somebody waits for it… */
  awaited(deferred: Deferred): void;
  /** …and has an answer: the code goes on when the microtasks run. */
  settled(deferred: Deferred): void;
}

export class Deferred implements Waiter {
  readonly promise: ContextPromise<unknown>;
  readonly #owner: DeferredOwner;
  #resolve: (value: unknown) => void = ignore;
  #reject: (error: unknown) => void = ignore;
  #tell: ((waiter: Waiter) => void) | undefined;
  #whenSettled: (() => void)[] = [];

  constructor(owner: DeferredOwner) {
    this.#owner = owner;
    this.promise = new ContextPromise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    quieten(this.promise);
    this.promise.onAwaited = () => {
      if (!this.settled) owner.awaited(this);
    };
  }

  get settled(): boolean {
    return this.#tell !== undefined;
  }

  resolve(value: unknown): void {
    if (this.settled) return;
    this.#resolve(value);
    this.#settle((waiter) => {
      waiter.resolve(value);
    });
  }

  reject(error: unknown): void {
    if (this.settled) return;
    letGo(error);
    this.#reject(error);
    this.#settle((waiter) => {
      waiter.reject(error);
    });
  }

  #settle(tell: (waiter: Waiter) => void): void {
    this.#tell = tell;
    this.promise.onAwaited = undefined;
    this.#owner.settled(this);
    for (const callback of this.#whenSettled.splice(0)) callback();
  }

  /** At once when it is settled already. */
  whenSettled(callback: () => void): void {
    if (this.settled) callback();
    else this.#whenSettled.push(callback);
  }

  /** The waiter is told what this one is. */
  forwardTo(waiter: Waiter): void {
    this.whenSettled(() => this.#tell?.(waiter));
  }
}

/** The same outcome, as a promise of a context. */
export function contextPromise<T>(promise: Promise<T>): Promise<T> {
  const own = new ContextPromise<T>((resolve, reject) => {
    promise.then(resolve, reject);
  });
  quieten(own);
  return own;
}

/** Resolves when every microtask that is due has run, those they make too; no I/O and no timer comes before it. */
export function drained(): Promise<void> {
  return new Promise((resolve) => {
    // A tick that is asked for by a microtask comes after the last microtask.
    queueMicrotask(() => {
      process.nextTick(resolve);
    });
  });
}
