/**
 * What the code of a workflow is given: its words, as types. Everything that waits is a promise, so `await`,
 * `Promise.all` and helper functions are written as anywhere else. Between them the code runs again on recovery: it
 * must be quick, and await nothing but these. How they work is in context.ts and context-run.ts.
 */
import type { Logger } from '../service/logger.ts';
import type { Activity, ActivityFunction, ExecuteActivityOptions } from './activity.ts';
import type { StepContext, StepOptions } from './definition.ts';
import type { Duration } from './duration.ts';
import type { WaitOptions } from './steps.ts';

/** Facts of the run; they do not change while it is driven. */
export interface WorkflowInfo {
  readonly workflowId: string;
  readonly runId: string;
  /** The first of the chain that this run continues. */
  readonly firstExecutionRunId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly namespace: string;
  /** 1 for the first, more after a retry of the workflow. */
  readonly attempt: number;
  /** When the run was made, epoch ms. */
  readonly startedAt: number;
  readonly parent: { readonly workflowId: string; readonly runId: string } | undefined;
  readonly memo: Readonly<Record<string, unknown>>;
  /** Events up to the workflow task that is driven: grow it too far and continue as new. */
  readonly historyLength: number;
}

export type WorkflowFunction<TInput, TResult> = (
  ctx: WorkflowContext,
  input: TInput,
) => Promise<TResult>;

/** What `workflow()` returns, as far as its children's types need it. */
export interface WorkflowLike<TInput, TResult> {
  readonly workflowType: string;
  getWorkflowFunction(): WorkflowFunction<TInput, TResult>;
}

/** Steps with what undoes them. Made by `ctx.newSaga()`. */
export interface Saga<TResults extends readonly unknown[] = readonly unknown[]> {
  /**
   * @param run Made of steps and activities of its context.
   * @param undo Takes it back, given its result. Of a step that failed it is not called.
   */
  addStep<T>(
    run: (ctx: WorkflowContext) => T | PromiseLike<T>,
    undo?: (ctx: WorkflowContext, result: T) => unknown,
  ): Saga<[...TResults, T]>;
  /**
   * Runs the steps one after another and comes to their results. When one fails, those before it are undone in
   * reverse, in a shield; an undoing that fails does not keep the others from running.
   *
   * @throws What the step threw; CompensationFailed when an undoing failed.
   */
  execute(): Promise<TResults>;
}

/** An input that may be left out where there is none. */
export type InputArguments<TInput, TOptions> = undefined extends TInput
  ? [input?: TInput, options?: TOptions]
  : [input: TInput, options?: TOptions];

export interface ChildWorkflowOptions {
  /** By default made of the parent's id, the child's name and a number. */
  readonly workflowId?: string;
  /** The child's own queue by default, else the parent's. */
  readonly taskQueue?: string;
  /** What becomes of the child when the parent ends first; TERMINATE by default. */
  readonly parentClosePolicy?: 'TERMINATE' | 'ABANDON' | 'REQUEST_CANCEL';
  readonly workflowExecutionTimeout?: Duration;
  readonly workflowRunTimeout?: Duration;
  readonly memo?: Readonly<Record<string, unknown>>;
  /** Goes on although the workflow was cancelled. */
  readonly shielded?: boolean;
}

/** A child that has started. */
export interface ChildWorkflowHandle<TResult> {
  readonly workflowId: string;
  readonly firstExecutionRunId: string;
  /** Rejects with ChildWorkflowFailure, whose cause says why. */
  result(): Promise<TResult>;
  signal(name: string, argument?: unknown): Promise<void>;
  /** Asks it to cancel; its result says when it has. */
  cancel(): Promise<void>;
}

/** A promise, or a function that is given a context of its own: the branches of functions can be cancelled. */
export type ContextBranch<T> = PromiseLike<T> | ((ctx: WorkflowContext) => PromiseLike<T>);

type BranchValue<B> = B extends (ctx: WorkflowContext) => infer R ? Awaited<R> : Awaited<B>;

export interface ContinueAsNewOptions {
  readonly taskQueue?: string;
  readonly memo?: Readonly<Record<string, unknown>>;
}

export interface UpdateOptions<TArgument, TResult> {
  /** Throws what is wrong: then the update is refused, and nothing of it stands in the history. Asks for nothing. */
  readonly validator?: (argument: TArgument) => void;
  /** Its value, or what it throws, is the answer. It may wait for steps and whatever else. */
  readonly handler: (argument: TArgument) => TResult | PromiseLike<TResult>;
}

export interface WorkflowContext {
  readonly info: WorkflowInfo;
  /** Says each line once: not when the code runs again over what it did before. */
  readonly log: Logger;
  /** Aborted when this scope is cancelled; what is awaited and not shielded rejects with CancelledFailure. */
  readonly cancelled: AbortSignal;

  /** One step of inline code, kept under its key; retried, with timeouts, as a step of a task. */
  step<T>(
    key: string,
    call: (context: StepContext) => T | PromiseLike<T>,
    options?: StepOptions,
  ): Promise<Awaited<T>>;
  /** Runs an activity: a function with a name, what `activity()` made, or the name of one in another worker. */
  executeActivity<TInput, TResult>(
    activity: Activity<TInput, TResult> | ActivityFunction<TInput, TResult>,
    ...rest: InputArguments<TInput, ExecuteActivityOptions>
  ): Promise<Awaited<TResult>>;
  executeActivity<TResult = unknown>(
    activity: string,
    input?: unknown,
    options?: ExecuteActivityOptions,
  ): Promise<TResult>;
  /** Waits durably: ms or a string such as `'1h'`. */
  sleep(duration: Duration, options?: WaitOptions): Promise<void>;
  /** The next signal of that name that nobody has taken; its first argument. */
  awaitSignal<T = unknown>(name: string, options?: WaitOptions): Promise<T>;
  /** From now on the handler takes every signal of that name, those that waited first. What it throws fails the run. */
  onSignal<T = unknown>(name: string, handler: (argument: T) => unknown): void;
  /** Answers a query from what the run has come to; must not change anything, and returns no promise. */
  setQueryHandler<T = unknown>(name: string, handler: (argument: T) => unknown): void;
  /** Answers updates of that name: requests that change the run and come to a value. */
  setUpdateHandler<TArgument = unknown, TResult = unknown>(
    name: string,
    update: UpdateOptions<TArgument, TResult>,
  ): void;
  /** Waits until the predicate holds; it is asked after every event. With a timeout: false when that came first. */
  condition(predicate: () => boolean): Promise<void>;
  condition(predicate: () => boolean, timeout: Duration): Promise<boolean>;

  /** Resolves when the child has started. */
  startChildWorkflow<TInput, TResult>(
    child: WorkflowLike<TInput, TResult>,
    ...rest: InputArguments<TInput, ChildWorkflowOptions>
  ): Promise<ChildWorkflowHandle<TResult>>;
  startChildWorkflow<TResult = unknown>(
    child: string,
    input?: unknown,
    options?: ChildWorkflowOptions,
  ): Promise<ChildWorkflowHandle<TResult>>;
  /** Resolves with the child's result. */
  executeChildWorkflow<TInput, TResult>(
    child: WorkflowLike<TInput, TResult>,
    ...rest: InputArguments<TInput, ChildWorkflowOptions>
  ): Promise<TResult>;
  executeChildWorkflow<TResult = unknown>(
    child: string,
    input?: unknown,
    options?: ChildWorkflowOptions,
  ): Promise<TResult>;
  /** Resolves when the signal has arrived at that workflow; rejects when no run of it is open. */
  signalExternal(
    target: string | { readonly workflowId: string; readonly runId?: string },
    name: string,
    argument?: unknown,
  ): Promise<void>;

  /** As Promise.all. */
  all<const B extends readonly ContextBranch<unknown>[]>(
    branches: B,
  ): Promise<{ -readonly [I in keyof B]: BranchValue<B[I]> }>;
  /** As Promise.race; branches that are functions are cancelled when another has ended. */
  race<const B extends readonly ContextBranch<unknown>[]>(
    branches: B,
  ): Promise<BranchValue<B[number]>>;
  /** As Promise.any; branches that are functions are cancelled when another has succeeded. */
  any<const B extends readonly ContextBranch<unknown>[]>(
    branches: B,
  ): Promise<BranchValue<B[number]>>;

  /** Runs clean-up that a cancel of the workflow does not reach. Use the context that it is given. */
  shielded<T>(run: (ctx: WorkflowContext) => PromiseLike<T>): Promise<T>;
  /** Steps that are undone in reverse when a later one fails. */
  newSaga(): Saga<[]>;
  /** Whether the code behind this change runs: true in new runs, false where the run was past it before the change. */
  patched(id: string): boolean;
  /** Ends this run and begins the next of the same id with an empty history: `return ctx.continueAsNew(input)`. */
  continueAsNew(input?: unknown, options?: ContinueAsNewOptions): Promise<never>;
  /** When the workflow task that is driven was started, epoch ms: the same after a crash. */
  now(): number;
  /** From 0 to 1; the same after a crash. */
  random(): number;
  /** A UUID of version 4; the same after a crash. */
  uuid(): string;
}
