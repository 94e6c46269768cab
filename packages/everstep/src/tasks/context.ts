/** The words of a workflow's code, each put as a question to its run. One object for each cancellation scope. */
import { CancelledFailure } from '@temporalio/common';
import type { LogFields, Logger } from '../service/logger.ts';
import { ActivityCall, activityTarget, inputPayload, type GivenActivity } from './activity-call.ts';
import type { ExecuteActivityOptions } from './activity.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { sendSignal, StartedChild, startChild } from './child-workflow.ts';
import { carriedAlong, contextInfo, memoFields } from './context-info.ts';
import { contextPromise } from './context-promise.ts';
import type { ContextHost } from './context-host.ts';
import type { StepContext, StepDescriptor, StepOptions } from './definition.ts';
import { shown, type Duration } from './duration.ts';
import type { Entry, Wait, Waiter } from './journal.ts';
import { unknownField } from './known-fields.ts';
import { checkSignalName, sleepMs } from './operation-check.ts';
import { ContextSaga } from './saga.ts';
import { signal, sleep, step, type WaitOptions } from './steps.ts';
import { TaskCodeError } from './task-errors.ts';
import type { Handler } from './updates.ts';
import type {
  ChildWorkflowHandle,
  ChildWorkflowOptions,
  ContextBranch,
  ContinueAsNewOptions,
  Saga,
  UpdateOptions,
  WorkflowContext,
  WorkflowInfo,
  WorkflowLike,
} from './workflow-context.ts';

type Branches = readonly ContextBranch<unknown>[];

export class Context implements WorkflowContext {
  readonly #run: ContextHost;
  readonly #scope: CancellationScope;

  constructor(run: ContextHost, scope: CancellationScope) {
    this.#run = run;
    this.#scope = scope;
  }

  get info(): WorkflowInfo {
    return contextInfo(this.#run);
  }

  get cancelled(): AbortSignal {
    return this.#scope.signal;
  }

  get log(): Logger {
    const run = this.#run;
    const { logger } = run.options;
    const { workflowId, runId } = run;
    const fields = { workflow: run.definition.name, workflowId, runId };
    const at =
      (level: keyof Logger) =>
      (message: string, more?: LogFields): void => {
        if (!run.replaying && !run.stopped) logger[level](message, { ...fields, ...more });
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  // Steps and activities.

  step<T>(
    key: string,
    call: (context: StepContext) => T | PromiseLike<T>,
    options?: StepOptions,
  ): Promise<Awaited<T>> {
    return this.#ask(`step ${shown(key)}`, options?.shielded, (waiter) => {
      if (typeof call !== 'function') {
        throw misused(`The call of step ${shown(key)} is ${shown(call)}; expected a function`);
      }
      return this.#askedStep(
        step(key, call, options),
        waiter,
        false,
        `${this.#run.definition.name}.${key}`,
      );
    }) as Promise<Awaited<T>>;
  }

  executeActivity<TResult>(
    activity: GivenActivity,
    input?: unknown,
    options: ExecuteActivityOptions = {},
  ): Promise<TResult> {
    const run = this.#run;
    return this.#ask('an activity', options.shielded, (waiter) => {
      const target = activityTarget(activity);
      const own: unknown = options.activityId;
      // A name of its own, so that it is no step's: those of inline code have keys that the user gave.
      const key =
        options.activityId ?? `${target.name}:${run.nextNumber(`activity ${target.name}`)}`;
      if (own !== undefined && typeof own !== 'string') {
        throw misused(
          `Activity "${target.name}": activityId is ${shown(own)}; expected a string that is not empty`,
        );
      }
      const { converter } = run.options;
      const payload = inputPayload(converter, input, `activity "${key}"`);
      const call = new ActivityCall(key, target, payload, options, converter);
      return this.#askedStep(call, waiter, own === undefined, call.type);
    }) as Promise<TResult>;
  }

  #askedStep(descriptor: StepDescriptor, waiter: Waiter, internal: boolean, type: string): Entry {
    const entry = this.#run.journal.askStep(descriptor, waiter, internal);
    if (entry.activityType !== '' && entry.activityType !== type) {
      throw new TaskCodeError(
        'KEY_CHANGED_KIND',
        `The key "${entry.id}" is an activity of type "${type}" in the code, but in event ${entry.scheduledEventId} of the history (ActivityTaskScheduled) it is of type "${entry.activityType}". Give the changed one a key of its own.`,
      );
    }
    this.#run.lastKey = entry.id;
    return entry;
  }

  /** Puts a question whose answer is the journal's. */
  #ask(
    what: string,
    shielded: boolean | undefined,
    question: (waiter: Waiter) => Wait,
  ): Promise<unknown> {
    const run = this.#run;
    return run.ask(what, this.#scope, shielded, (deferred) => {
      const wait = question(deferred);
      return (error) => {
        run.journal.giveUp(wait);
        deferred.reject(error);
      };
    });
  }

  // Waiting.

  sleep(duration: Duration, options?: WaitOptions): Promise<void> {
    return this.#ask('a sleep', options?.shielded, (waiter) => {
      const ms = sleepMs(sleep(duration, options));
      const entry = this.#run.journal.askSleep(
        options?.key,
        ms,
        waiter,
        options?.shielded === true,
      );
      this.#run.lastKey = entry.id;
      return entry;
    }) as Promise<void>;
  }

  awaitSignal<T>(name: string, options?: WaitOptions): Promise<T> {
    return this.#ask(`signal ${shown(name)}`, options?.shielded, (waiter) => {
      checkSignalName(signal(name, options));
      this.#run.lastKey = options?.key ?? name;
      return this.#run.journal.askSignal(name, options?.key, waiter, options?.shielded === true);
    }) as Promise<T>;
  }

  condition(predicate: () => boolean): Promise<void>;
  condition(predicate: () => boolean, timeout: Duration): Promise<boolean>;
  condition(predicate: () => boolean, timeout?: Duration): Promise<void | boolean> {
    const run = this.#run;
    const held = run.ask('a condition', this.#scope, false, (deferred) => {
      if (typeof predicate !== 'function') {
        throw misused(
          `The predicate of a condition is ${shown(predicate)}; expected a function that returns true or false`,
        );
      }
      const ms = timeout === undefined ? undefined : sleepMs(sleep(timeout));
      run.awaitCondition(deferred, predicate);
      const cancel = (error: CancelledFailure): void => {
        deferred.reject(error);
      };
      if (ms === undefined || deferred.settled) return cancel;
      const timer = run.journal.askSleep(
        undefined,
        ms,
        { resolve: () => deferred.resolve(false), reject: (error) => deferred.reject(error) },
        false,
      );
      run.lastKey = timer.id;
      deferred.whenSettled(() => {
        if (!timer.done) run.journal.giveUp(timer);
      });
      return cancel;
    });
    return held as Promise<void | boolean>;
  }

  // Handlers.

  onSignal<T>(name: string, handler: (argument: T) => unknown): void {
    this.#handle('onSignal', name, handler, () => {
      this.#run.handleSignal(name, handler as Handler);
    });
  }

  setQueryHandler<T>(name: string, handler: (argument: T) => unknown): void {
    this.#handle('setQueryHandler', name, handler, () => {
      this.#run.queries.set(name, handler as Handler);
    });
  }

  setUpdateHandler<TArgument, TResult>(
    name: string,
    update: UpdateOptions<TArgument, TResult>,
  ): void {
    const { validator, handler } = update ?? {};
    this.#handle('setUpdateHandler', name, handler, () => {
      if (validator !== undefined && typeof validator !== 'function') {
        throw misused(
          `The validator of setUpdateHandler("${name}") is ${shown(validator)}; expected a function that throws what is wrong`,
        );
      }
      const odd = unknownField(update, ['validator', 'handler']);
      if (odd !== undefined) throw misused(`setUpdateHandler("${name}"): ${odd}`);
      this.#run.handleUpdate(name, {
        validator: validator as Handler | undefined,
        handler: handler as Handler,
      });
    });
  }

  #handle(word: string, name: unknown, handler: unknown, set: () => void): void {
    const run = this.#run;
    run.expectNoQuery(word);
    if (run.stopped) return;
    try {
      if (typeof name !== 'string' || name === '') {
        throw misused(
          `The name given to ${word} is ${shown(name)}; expected a string that is not empty`,
        );
      }
      if (typeof handler !== 'function') {
        throw misused(
          `The handler of ${word}("${name}") is ${shown(handler)}; expected a function`,
        );
      }
      set();
    } catch (error) {
      run.refuse(error);
    }
  }

  // Other workflows.

  startChildWorkflow<TResult>(
    child: WorkflowLike<never, unknown> | string,
    input?: unknown,
    options: ChildWorkflowOptions = {},
  ): Promise<ChildWorkflowHandle<TResult>> {
    const run = this.#run;
    return run.ask('a child workflow', this.#scope, options.shielded, (deferred) => {
      const started = startChild(run, this.#scope, child, input, options);
      started.entry.arrived.forwardTo({
        resolve: (runId) => {
          deferred.resolve(new StartedChild(run, this.#scope, started, String(runId)));
        },
        reject: (error) => {
          deferred.reject(error);
        },
      });
      return () => undefined;
    }) as Promise<ChildWorkflowHandle<TResult>>;
  }

  executeChildWorkflow<TResult>(
    child: WorkflowLike<never, unknown> | string,
    input?: unknown,
    options: ChildWorkflowOptions = {},
  ): Promise<TResult> {
    const run = this.#run;
    return run.ask('a child workflow', this.#scope, options.shielded, (deferred) => {
      startChild(run, this.#scope, child, input, options).entry.ended.forwardTo(deferred);
      return () => undefined;
    }) as Promise<TResult>;
  }

  signalExternal(
    target: string | { readonly workflowId: string; readonly runId?: string },
    name: string,
    argument?: unknown,
  ): Promise<void> {
    const { workflowId, runId = '' } =
      typeof target === 'string' ? { workflowId: target } : (target ?? { workflowId: '' });
    return sendSignal(this.#run, this.#scope, { workflowId, runId }, name, argument, false);
  }

  // Branches.

  all<const B extends Branches>(branches: B): Promise<never> {
    const { promises } = this.#branches('all', branches, 0);
    return contextPromise(Promise.all(promises)) as Promise<never>;
  }

  race<const B extends Branches>(branches: B): Promise<never> {
    const { promises, cancel } = this.#branches('race', branches, 1);
    const first = Promise.race(promises);
    first.then(cancel, cancel);
    return contextPromise(first) as Promise<never>;
  }

  any<const B extends Branches>(branches: B): Promise<never> {
    const { promises, cancel } = this.#branches('any', branches, 1);
    const first = Promise.any(promises);
    first.then(cancel, cancel);
    return contextPromise(first) as Promise<never>;
  }

  /** Branches that are functions have a scope of their own, and are what `cancel` reaches. */
  #branches(
    op: string,
    branches: unknown,
    least: number,
  ): { readonly promises: Promise<unknown>[]; readonly cancel: () => void } {
    const run = this.#run;
    if (!Array.isArray(branches) || branches.length < least) {
      run.refuse(
        new TaskCodeError(
          'OPERATION_UNKNOWN',
          `ctx.${op} was given ${Array.isArray(branches) ? 'an empty list' : shown(branches)}; expected a list of promises, or of functions that return one`,
        ),
      );
      return { promises: [new Promise(() => undefined)], cancel: () => undefined };
    }
    const scopes: CancellationScope[] = [];
    const promises = branches.map((branch: unknown) => {
      if (typeof branch !== 'function') return Promise.resolve(branch);
      const scope = new CancellationScope(this.#scope);
      scopes.push(scope);
      const context = new Context(run, scope);
      return new Promise((resolve) => {
        resolve((branch as (ctx: WorkflowContext) => unknown)(context));
      });
    });
    return {
      promises,
      cancel: () => {
        const error = new CancelledFailure('Another branch was faster');
        for (const scope of scopes) {
          run.cancelScope(scope, error);
          scope.leave();
        }
      },
    };
  }

  shielded<T>(work: (ctx: WorkflowContext) => PromiseLike<T>): Promise<T> {
    const run = this.#run;
    if (typeof work !== 'function' || work.length === 0) {
      run.refuse(
        misused(
          'ctx.shielded takes a function of one parameter, its own context: only what is asked of that one is shielded. Write ctx.shielded(async (ctx) => …)',
        ),
      );
      return new Promise(() => undefined);
    }
    const scope = new CancellationScope(this.#scope, true);
    const worked = new Promise<T>((resolve) => {
      resolve(work(new Context(run, scope)));
    });
    return contextPromise(
      worked.finally(() => {
        scope.leave();
      }),
    );
  }

  newSaga(): Saga<[]> {
    return new ContextSaga<[]>(this, (error) => {
      this.#run.refuse(error);
    });
  }

  // Versions, chains, chance.

  patched(id: string): boolean {
    const run = this.#run;
    run.expectCode('patched()');
    if (typeof id !== 'string' || id === '') {
      run.refuse(misused(`The id of a patch is ${shown(id)}; expected a string that is not empty`));
      return false;
    }
    return run.outgoing.patched(id, !run.replaying);
  }

  continueAsNew(input?: unknown, options: ContinueAsNewOptions = {}): Promise<never> {
    const run = this.#run;
    const { definition, info } = run;
    return run.ask('continueAsNew', this.#scope, true, (deferred) => {
      const { converter } = run.options;
      const { memo } = options;
      run.endContinued({
        input: inputPayload(converter, input, `the next run of "${definition.name}"`),
        workflowType: definition.workflowType,
        taskQueue: options.taskQueue ?? info?.taskQueue ?? definition.taskQueue,
        carried: {
          ...carriedAlong(run),
          ...(memo && { memo: { fields: memoFields(memo, converter) } }),
        },
      });
      return (error) => {
        deferred.reject(error);
      };
    }) as Promise<never>;
  }

  now(): number {
    return this.#run.task.at;
  }

  random(): number {
    this.#run.expectCode('random()');
    return this.#run.random.next();
  }

  uuid(): string {
    this.#run.expectCode('uuid()');
    return this.#run.random.uuid();
  }
}

function misused(message: string): TaskCodeError {
  return new TaskCodeError('STEP_OPTIONS_INVALID', message);
}
