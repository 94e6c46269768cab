/**
 * The typed words of a task's code: `yield* step(…)`, `yield* all([…])`, `yield* sleep(…)`, `yield* signal(…)`.
 * Each is the operation itself, so it may be yielded, delegated to with `yield*`, or put into `all`.
 */
import { shown, type Duration } from './duration.ts';
import {
  internalKey,
  type AllOperation,
  type InternalStepDescriptor,
  type RaceOperation,
  type SignalOperation,
  type SleepOperation,
  type StepContext,
  type StepDescriptor,
  type StepOptions,
} from './definition.ts';
import { isFields, unknownField } from './known-fields.ts';
import { TaskCodeError } from './task-errors.ts';

/** Something that `yield*` takes in a plain and in an async generator, and whose value is `T`. */
export interface Yieldable<T> {
  [Symbol.iterator](): Iterator<unknown, T, unknown>;
}

/** What an operation or a branch of `all` comes to. */
export type ValueOf<B> =
  B extends Yieldable<infer T>
    ? T
    : // oxlint-disable-next-line typescript/no-explicit-any -- what it yields and is given does not matter here
      B extends Generator<any, infer T, any> | AsyncGenerator<any, infer T, any>
      ? T
      : B extends StepDescriptor<infer T>
        ? Awaited<T>
        : unknown;

export type Branch =
  | Yieldable<unknown>
  // oxlint-disable-next-line typescript/no-explicit-any -- any generator may be a branch
  | Generator<unknown, unknown, any>
  // oxlint-disable-next-line typescript/no-explicit-any -- any generator may be a branch
  | AsyncGenerator<unknown, unknown, any>
  | StepDescriptor;

/** Yields the operation once and comes to what it is given. */
class Delegation<T> implements Iterator<unknown, T, unknown> {
  readonly #operation: unknown;
  #asked = false;

  constructor(operation: unknown) {
    this.#operation = operation;
  }

  next(value?: unknown): IteratorResult<unknown, T> {
    if (this.#asked) return { done: true, value: value as T };
    this.#asked = true;
    return { done: false, value: this.#operation };
  }

  throw(error: unknown): IteratorResult<unknown, T> {
    throw error;
  }

  return(value?: unknown): IteratorResult<unknown, T> {
    return { done: true, value: value as T };
  }
}

const stepFields: readonly string[] = ['retryPolicy', 'timeouts', 'shielded'];
const waitFields: readonly string[] = ['key', 'shielded'];

/** What a task's code makes and hands over with `yield*`: without it, nothing of it runs. */
export abstract class Operation {
  /** What is odd of its options: refused when it is asked, as its code then waits for its correction. */
  declare readonly unknownOption?: string;

  protected noteUnknown(options: unknown, known: readonly string[]): void {
    const odd = isFields(options)
      ? unknownField(options, known)
      : `options is ${shown(options)}; expected an object with ${known.join(', ')}`;
    if (odd !== undefined) (this as { unknownOption?: string }).unknownOption = odd;
  }

  /** How to write it, for whoever forgot the `yield*`. */
  abstract get hint(): string;

  /** Text or a number is made of the value that `yield*` would have given, and never of the operation. */
  [Symbol.toPrimitive](): never {
    throw new TaskCodeError(
      'OPERATION_UNKNOWN',
      `A step or wait was used as its own value; write ${this.hint}`,
    );
  }
}

class Step<T> extends Operation implements StepDescriptor<T>, Yieldable<T> {
  readonly key: string;
  readonly call: (context: StepContext) => T | PromiseLike<T>;
  declare readonly retryPolicy?: NonNullable<StepOptions['retryPolicy']>;
  declare readonly timeouts?: NonNullable<StepOptions['timeouts']>;
  declare readonly shielded?: boolean;

  constructor(
    key: string,
    call: (context: StepContext) => T | PromiseLike<T>,
    options: StepOptions | undefined,
  ) {
    super();
    this.key = key;
    this.call = call;
    if (options !== undefined) {
      const { retryPolicy, timeouts, shielded } = Object(options) as StepOptions;
      if (retryPolicy !== undefined) this.retryPolicy = retryPolicy;
      if (timeouts !== undefined) this.timeouts = timeouts;
      if (shielded !== undefined) this.shielded = shielded;
      this.noteUnknown(options, stepFields);
    }
  }

  get hint(): string {
    return `yield* step(${shown(this.key)}, …)`;
  }

  [Symbol.iterator](): Iterator<unknown, T, unknown> {
    return new Delegation(this);
  }
}

class InternalStep<T> extends Step<T> implements InternalStepDescriptor<T> {
  readonly [internalKey] = true;
}

class Sleep extends Operation implements SleepOperation, Yieldable<void> {
  readonly op = 'sleep';
  readonly duration: Duration;
  declare readonly key?: string;
  declare readonly shielded?: boolean;

  constructor(duration: Duration, options: WaitOptions | undefined) {
    super();
    this.duration = duration;
    if (options?.key !== undefined) this.key = options.key;
    if (options?.shielded !== undefined) this.shielded = options.shielded;
    if (options) this.noteUnknown(options, waitFields);
  }

  get hint(): string {
    return `yield* sleep(${shown(this.duration)})`;
  }

  [Symbol.iterator](): Iterator<unknown, void, unknown> {
    return new Delegation(this);
  }
}

class Signal<T> extends Operation implements SignalOperation, Yieldable<T> {
  readonly op = 'signal';
  readonly name: string;
  declare readonly key?: string;
  declare readonly shielded?: boolean;

  constructor(name: string, options: WaitOptions | undefined) {
    super();
    this.name = name;
    if (options?.key !== undefined) this.key = options.key;
    if (options?.shielded !== undefined) this.shielded = options.shielded;
    if (options) this.noteUnknown(options, waitFields);
  }

  get hint(): string {
    return `yield* signal(${shown(this.name)})`;
  }

  [Symbol.iterator](): Iterator<unknown, T, unknown> {
    return new Delegation(this);
  }
}

class Branches<T> extends Operation implements Yieldable<T> {
  readonly op: 'all' | 'race';
  readonly branches: readonly unknown[];

  constructor(op: 'all' | 'race', branches: readonly unknown[]) {
    super();
    this.op = op;
    this.branches = branches;
  }

  get hint(): string {
    return `yield* ${this.op}([…])`;
  }

  [Symbol.iterator](): Iterator<unknown, T, unknown> {
    return new Delegation(this);
  }
}

export interface WaitOptions {
  /** Its name in the history; without one it is numbered within its kind, and moving it changes its number. */
  readonly key?: string;
  /** Waits although the task was cancelled. */
  readonly shielded?: boolean;
}

/** One step: `call` runs once it has a worker, is retried, and its result is kept under `key`. */
export function step<T>(
  key: string,
  call: (context: StepContext) => T | PromiseLike<T>,
  options?: StepOptions,
): StepDescriptor<T> & Yieldable<T> {
  return new Step(key, call, options);
}

/** A part of a composed step, whose key may hold `#`: `upload#submit`. */
export function internalStep<T>(
  key: string,
  call: (context: StepContext) => T | PromiseLike<T>,
  options?: StepOptions,
): InternalStepDescriptor<T> & Yieldable<T> {
  return new InternalStep(key, call, options);
}

/** Waits durably: ms or a string such as `'1h'`. */
export function sleep(duration: Duration, options?: WaitOptions): SleepOperation & Yieldable<void> {
  return new Sleep(duration, options);
}

/** Waits for the next signal of that name that nobody has taken; its value is the signal's first argument. */
export function signal<T = unknown>(
  name: string,
  options?: WaitOptions,
): SignalOperation & Yieldable<T> {
  return new Signal<T>(name, options);
}

/**
 * Runs steps, other operations and generators in parallel, and comes to the list of their values. It throws the
 * first failure in the order of the history; the other branches go on.
 */
export function all<const B extends readonly Branch[]>(
  branches: B,
): AllOperation & Yieldable<{ -readonly [I in keyof B]: ValueOf<B[I]> }> {
  return new Branches('all', branches) as AllOperation &
    Branches<{ -readonly [I in keyof B]: ValueOf<B[I]> }>;
}

/** Which branch of a race ended first, and what it came to. */
export type RaceValue<B extends readonly unknown[]> = {
  [I in keyof B]: { readonly index: number; readonly value: ValueOf<B[I]> };
}[number];

/** Runs branches in parallel until the first ends, well or not; the others are cancelled. */
export function race<const B extends readonly Branch[]>(
  branches: B,
): RaceOperation & Yieldable<RaceValue<B>> {
  return new Branches('race', branches) as RaceOperation & Branches<RaceValue<B>>;
}
