/**
 * A run of a workflow with a context, live in this process: its code, its journal, and what they come to. It is given
 * events and gives commands; it does no I/O, reads no clock, and knows no queue but the run's own.
 *
 * Events are applied one by one, and after each the microtasks run dry (decision 7): so promises go on in the order of
 * the history, and a race ends after a crash as it ended before. Code that awaits anything but its context is found in
 * two ways: nothing of the context is awaited any more, for a second; or it comes back and asks when no event is being
 * applied. Either breaks the run down: it is thrown away, and the run itself is unharmed (decision 9).
 *
 * Read next: context.ts (the words), journal.ts, outgoing.ts.
 */
import { getEventListeners } from 'node:events';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { EverstepError } from '../service/error-codes.ts';
import { CancellationScope } from './cancellation-scope.ts';
import { Context } from './context.ts';
import type { ContextHost, ContextRunOptions } from './context-host.ts';
import { Deferred, drained, type DeferredOwner } from './context-promise.ts';
import { Conditions } from './conditions.ts';
import { isPromiseLike } from './coroutine.ts';
import type { StepDescriptor } from './definition.ts';
import { shown } from './duration.ts';
import { numberOf } from './int64.ts';
import {
  Journal,
  type Answers,
  type Entry,
  type HistoryEvent,
  type SignalWait,
} from './journal.ts';
import type { LiveRun, RunInfo } from './live-run.ts';
import { Outgoing } from './outgoing.ts';
import { PayloadReader } from './payload-reader.ts';
import { isCancelled } from './run-failure.ts';
import { lastDrivenEventId } from './run-history.ts';
import { valueResult, type NextRunRequest, type RunResult } from './run-result.ts';
import { SeededRandom } from './seeded-random.ts';
import { callerLine, markCaller } from './caller-line.ts';
import { isThrown, TaskCodeError } from './task-errors.ts';
import { decidingTasks, type DecidingTask } from './deciding-task.ts';
import { Updates, type Handler, type UpdateHandler, type UpdateHost } from './updates.ts';
import type { WorkflowDefinition } from './workflow.ts';

const { EventType } = proto.temporal.api.enums.v1;

type Started = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

/** Something the code has asked and waits for, and what a cancel does to it. */
interface Asked {
  readonly scope: CancellationScope;
  readonly cancel: (error: CancelledFailure) => void;
}

export class ContextRun implements LiveRun, ContextHost, UpdateHost, Answers, DeferredOwner {
  readonly workflowId: string;
  readonly runId: string;
  readonly definition: WorkflowDefinition;
  readonly options: ContextRunOptions;
  readonly journal: Journal;
  readonly outgoing: Outgoing;
  readonly reader: PayloadReader;
  readonly queries = new Map<string, Handler>();
  readonly updates = new Updates(this);
  readonly rootScope = new CancellationScope();
  info: RunInfo | undefined;
  started: Started = {};
  random = new SeededRandom('');
  position = 0;
  result: RunResult | undefined;
  broken: Error | undefined;
  cancelRequested = false;
  lastKey: string | undefined;
  task: DecidingTask = { startedEventId: 0, at: 0 };
  replaying = false;
  /** A query is being answered: nothing may be asked. */
  answering = false;
  #lastAsk: { readonly stack?: string } | undefined;
  #driving = false;
  #touched = false;
  #wake: (() => void) | undefined;
  readonly #awaited = new Set<Deferred>();
  readonly #asked = new Set<Asked>();
  readonly #conditions = new Conditions((error) => {
    this.refuse(error);
  });
  readonly #numbers = new Map<string, number>();
  #handlers = 0;

  constructor(
    execution: { readonly workflowId: string; readonly runId: string },
    definition: WorkflowDefinition,
    options: ContextRunOptions,
  ) {
    this.workflowId = execution.workflowId;
    this.runId = execution.runId;
    this.definition = definition;
    this.options = options;
    this.reader = new PayloadReader(options.converter);
    this.journal = new Journal(this, false);
    this.outgoing = new Outgoing(this, options.converter);
  }

  /** Its own, which a reset keeps: each run of a chain has the same keys again. */
  get keyRunId(): string {
    return this.started.originalExecutionRunId || this.runId;
  }

  get stopped(): boolean {
    return this.result !== undefined || this.broken !== undefined;
  }

  get waitsAt(): string | undefined {
    return callerLine(this.#lastAsk);
  }

  drive(events: readonly HistoryEvent[], untilEventId: number): Promise<void> | undefined {
    this.#driving = true;
    this.position = untilEventId;
    try {
      this.journal.index(events);
      this.outgoing.index(events);
      this.updates.index(events);
    } catch (error) {
      this.breakDown(error);
    }
    return this.#pump(events, untilEventId).finally(() => {
      this.#driving = false;
    });
  }

  async #pump(events: readonly HistoryEvent[], untilEventId: number): Promise<void> {
    const replayedTo = lastDrivenEventId(events);
    const tasks = decidingTasks(events, untilEventId);
    let next = 0;
    for (const event of events) {
      const eventId = numberOf(event.eventId);
      if (this.stopped || eventId > untilEventId) break;
      while (next < tasks.length - 1 && (tasks[next]?.startedEventId ?? 0) < eventId) next += 1;
      this.task = tasks[next] ?? this.task;
      this.replaying = eventId <= replayedTo;
      this.#attempt(() => this.#apply(event));
      if (this.#touched) await this.#rest();
      await this.#update(eventId);
    }
    await this.#update(Infinity);
  }

  /** Handles the updates that are due after that event. */
  async #update(eventId: number): Promise<void> {
    for (;;) {
      const asked = this.stopped ? undefined : this.updates.take(eventId);
      if (asked === undefined) return;
      this.#attempt(() => this.updates.handle(asked));
      if (this.#touched) await this.#rest();
    }
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.breakDown(error);
    }
  }

  /** Until all that the code can do without a further event is done. */
  async #rest(): Promise<void> {
    while (this.#touched && !this.stopped) {
      this.#touched = false;
      await drained();
      this.#conditions.check();
      if (this.#touched || this.stopped || this.#waits()) continue;
      // It awaits something that is none of ours. The stall watch ends this, unless it comes back.
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A signal handler or a listener may end a wait of the code's own making. */
  #waits(): boolean {
    return (
      this.#awaited.size > 0 ||
      this.#handlers > 0 ||
      getEventListeners(this.rootScope.signal, 'abort').length > 0
    );
  }

  /** The code goes on, or has asked something. */
  touch(): void {
    this.#touched = true;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  awaited(deferred: Deferred): void {
    this.#awaited.add(deferred);
  }

  settled(deferred: Deferred): void {
    this.#awaited.delete(deferred);
    this.touch();
  }

  breakDown(error: unknown): void {
    if (this.stopped) return;
    this.broken = isThrown(error, Error)
      ? error
      : new TaskCodeError('WORKER_DEFECT', `The run could not be driven: ${shown(error)}`);
    this.touch();
  }

  breakDownStalled(ms: number): void {
    this.breakDown(
      new TaskCodeError(
        'CODE_STALLED',
        `Workflow "${this.definition.name}" awaits something that is no promise of its context, ${this.#after()}, since ${ms} ms. Code between steps runs again on recovery and must be quick: do what takes time inside a step or an activity.`,
      ),
    );
  }

  #after(): string {
    if (this.lastKey === undefined) return 'at its start';
    const line = this.waitsAt;
    return `after the key "${this.lastKey}"${line === undefined ? '' : `, at ${line}`}`;
  }

  /** The code came back from something that no event of the history stands for. */
  #cameBack(what: string): void {
    const error = new TaskCodeError(
      'CODE_STALLED',
      `Workflow "${this.definition.name}" ${what} while no event of its history was applied, ${this.#after()}: it had awaited something that is no promise of its context, or asked from inside a step. What came of that is not in the history, so it would differ after a crash: do inside a step what takes time, and ask outside of it.`,
    );
    this.breakDown(error);
    const { logger } = this.options;
    logger.error(error.message, {
      code: error.code,
      workflowId: this.workflowId,
      runId: this.runId,
    });
  }

  #apply(event: HistoryEvent): void {
    switch (event.eventType) {
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        this.#start(event);
        break;
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        this.cancelRequested = true;
        this.cancelScope(this.rootScope, new CancelledFailure('The workflow was cancelled'));
        break;
      default:
        this.journal.apply(event);
        this.outgoing.apply(event);
    }
  }

  #start(event: HistoryEvent): void {
    this.started = event.workflowExecutionStartedEventAttributes ?? {};
    this.info = {
      firstExecutionRunId: this.started.firstExecutionRunId || this.runId,
      taskQueue: this.started.taskQueue?.name || this.definition.taskQueue,
      createdAt: event.eventTime,
    };
    // A reset changes the run id and keeps this one, as it keeps what was drawn.
    this.random = new SeededRandom(this.keyRunId);
    const input = this.reader.value(this.started.input?.payloads?.[0], 'the input');
    this.touch();
    let made: unknown;
    try {
      made = this.definition.run(new Context(this, this.rootScope), input as never);
    } catch (error) {
      this.#end(error);
      return;
    }
    Promise.resolve(made).then(
      (value) => {
        if (this.goesOn('ended'))
          this.#settle(valueResult(this.definition, this.options.converter, value));
      },
      (error: unknown) => {
        if (this.goesOn('ended')) this.#end(error);
      },
    );
  }

  // How it ends.

  #settle(result: RunResult | PromiseLike<RunResult>): void {
    if (!isPromiseLike(result)) {
      this.result ??= result;
      this.touch();
      return;
    }
    result.then(
      (settled) => {
        if (!this.stopped) this.result = settled;
        this.touch();
      },
      (error: unknown) => {
        this.breakDown(error);
      },
    );
  }

  #end(error: unknown): void {
    if (this.stopped) return;
    if (isThrown(error, TaskCodeError)) {
      this.breakDown(error);
      return;
    }
    this.result =
      this.cancelRequested && isCancelled(error)
        ? { kind: 'cancelled' }
        : { kind: 'failed', error };
    this.touch();
  }

  endContinued(next: NextRunRequest): void {
    this.result ??= { kind: 'continuedAsNew', next };
    this.touch();
  }

  // What the code asks.

  goesOn(what: string): boolean {
    if (this.stopped) return false;
    if (this.#driving) return true;
    this.#cameBack(what);
    return false;
  }

  ask(
    what: string,
    scope: CancellationScope,
    shielded: boolean | undefined,
    question: (deferred: Deferred) => (error: CancelledFailure) => void,
  ): Promise<unknown> {
    const deferred = new Deferred(this);
    this.expectNoQuery(what);
    if (!this.goesOn(`asked for ${what}`)) return deferred.promise;
    this.touch();
    if (shielded !== true && scope.signal.aborted) {
      deferred.reject(scope.signal.reason);
      return deferred.promise;
    }
    try {
      const cancel = question(deferred);
      this.#lastAsk = markCaller();
      if (shielded !== true && !deferred.settled) {
        this.own(scope, deferred, cancel);
      }
    } catch (error) {
      // What was given cannot be sent: the code may catch that. How it was asked is for its author.
      if (error instanceof ApplicationFailure) deferred.reject(error);
      else this.refuse(error);
    }
    return deferred.promise;
  }

  own(
    scope: CancellationScope,
    deferred: Deferred,
    cancel: (error: CancelledFailure) => void,
  ): void {
    const asked: Asked = { scope, cancel };
    this.#asked.add(asked);
    deferred.whenSettled(() => this.#asked.delete(asked));
  }

  refuse(error: unknown): void {
    const misused = isThrown(error, TaskCodeError)
      ? error
      : error instanceof EverstepError
        ? new TaskCodeError('STEP_OPTIONS_INVALID', error.message, { cause: error })
        : undefined;
    if (misused === undefined) {
      this.breakDown(error);
      return;
    }
    const line = callerLine(markCaller());
    this.breakDown(
      new TaskCodeError(
        misused.code,
        `Workflow "${this.definition.name}"${line === undefined ? '' : `, at ${line}`}: ${misused.message}`,
        { cause: misused.cause },
      ),
    );
  }

  expectCode(what: string): void {
    this.expectNoQuery(what);
    if (this.#driving || this.stopped) return;
    throw new TaskCodeError(
      'CONTEXT_MISUSED',
      `Workflow "${this.definition.name}" asked for ${what} while no event of its history was applied: it belongs to the workflow's code. Inside a step, use what Node has`,
    );
  }

  expectNoQuery(what: string): void {
    if (!this.answering) return;
    throw new TaskCodeError(
      'CONTEXT_MISUSED',
      `A query handler or validator of workflow "${this.definition.name}" asked for ${what}: it reads what the run has come to and changes nothing`,
    );
  }

  get name(): string {
    return this.definition.name;
  }

  handleUpdate(name: string, handler: UpdateHandler): void {
    this.#handlers += 1;
    this.updates.handlers.set(name, handler);
  }

  handleSignal(name: string, handler: Handler): void {
    this.#handlers += 1;
    this.journal.handleSignals(name, (event) => {
      this.touch();
      const payload = event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[0];
      const argument = this.reader.value(payload, name);
      try {
        const handled = handler(argument);
        if (isPromiseLike(handled)) handled.then(undefined, (error: unknown) => this.#end(error));
      } catch (error) {
        this.#end(error);
      }
    });
  }

  awaitCondition(deferred: Deferred, predicate: () => boolean): void {
    this.#conditions.add(deferred, predicate);
  }

  cancelScope(scope: CancellationScope, error: CancelledFailure): void {
    scope.abort(error);
    this.touch();
    for (const asked of Array.from(this.#asked)) {
      if (this.stopped) return;
      if (this.#asked.has(asked) && asked.scope.isWithin(scope)) asked.cancel(error);
    }
  }

  // What the history answers.

  deliver(entry: Entry, event: HistoryEvent): void {
    this.reader.answer(entry, event);
  }

  deliverSignal(wait: SignalWait, event: HistoryEvent): void {
    const payload = event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[0];
    wait.waiter.resolve(this.reader.value(payload, wait.key ?? wait.name));
  }

  stepOf(activityId: string): StepDescriptor | undefined {
    return this.journal.steps.get(activityId)?.descriptor;
  }

  nextNumber(kind: string): number {
    const number = (this.#numbers.get(kind) ?? 0) + 1;
    this.#numbers.set(kind, number);
    return number;
  }

  get createdAt(): number {
    return optionalTsToMs(this.info?.createdAt) ?? 0;
  }
}
