/**
 * Steps that are undone when a later one fails: each action with what takes it back. The undoings run in reverse, in
 * a shield, so that a cancel is undone too; one that fails does not keep the others from running.
 */
import { ApplicationFailure } from '@temporalio/common';
import { contextPromise } from './context-promise.ts';
import { shown } from './duration.ts';
import { TaskCodeError } from './task-errors.ts';
import type { Saga, WorkflowContext } from './workflow-context.ts';

/** An undoing failed: what is done is neither whole nor wholly undone, and somebody must look at it. */
export class CompensationFailed extends ApplicationFailure {
  /** Of the undoings, in the order in which they ran. */
  readonly failures: readonly unknown[];

  /** @param cause Why the saga was undone. */
  constructor(cause: unknown, failures: readonly unknown[]) {
    const why = failures.map(messageOf);
    super(
      `${failures.length} of the saga's undoings failed: ${why.join('; ')}. It was undone because of: ${messageOf(cause)}`,
      'CompensationFailed',
      true,
      [why],
      cause instanceof Error ? cause : undefined,
    );
    this.failures = failures;
  }
}

interface SagaStep {
  readonly run: (ctx: WorkflowContext) => unknown;
  readonly undo: ((ctx: WorkflowContext, result: never) => unknown) | undefined;
}

export class ContextSaga<TResults extends readonly unknown[]> implements Saga<TResults> {
  readonly #ctx: WorkflowContext;
  readonly #steps: SagaStep[] = [];
  readonly #refuse: (error: TaskCodeError) => void;

  /** @param refuse What cannot be a step goes there. */
  constructor(ctx: WorkflowContext, refuse: (error: TaskCodeError) => void) {
    this.#ctx = ctx;
    this.#refuse = refuse;
  }

  addStep<T>(
    run: (ctx: WorkflowContext) => T | PromiseLike<T>,
    undo?: (ctx: WorkflowContext, result: T) => unknown,
  ): Saga<[...TResults, T]> {
    for (const [what, given] of Object.entries({ run, undo })) {
      if (typeof given === 'function' || (what === 'undo' && given === undefined)) continue;
      this.#refuse(
        new TaskCodeError(
          'CONTEXT_MISUSED',
          `The ${what} of a saga's step is ${shown(given)}; expected a function that is given a context`,
        ),
      );
    }
    this.#steps.push({ run, undo });
    return this as unknown as Saga<[...TResults, T]>;
  }

  execute(): Promise<TResults> {
    return contextPromise(this.#execute());
  }

  async #execute(): Promise<TResults> {
    const results: unknown[] = [];
    try {
      for (const { run } of this.#steps) results.push(await run(this.#ctx));
    } catch (error) {
      const failures = await this.#undo(results);
      if (failures.length > 0) throw new CompensationFailed(error, failures);
      throw error;
    }
    return results as unknown as TResults;
  }

  #undo(results: readonly unknown[]): Promise<unknown[]> {
    return this.#ctx.shielded(async (ctx) => {
      const failures: unknown[] = [];
      for (let at = results.length - 1; at >= 0; at -= 1) {
        try {
          await this.#steps[at]?.undo?.(ctx, results[at] as never);
        } catch (error) {
          failures.push(error);
        }
      }
      return failures;
    });
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return shown(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return error.message + cause;
}
