/**
 * A run of a task, live in this process: its code, its journal, and what they come to. It is given events and gives
 * commands; it does no I/O, reads no clock, and knows no queue but the run's own.
 *
 * Events are applied one by one, each followed by the code until everything waits (decision 7). Plain generators
 * settle at once; async ones within microtasks, after which `drive` resolves. Errors of the code's use break the run
 * down: it is thrown away, the workflow task fails, and the run itself is unharmed (decision 9).
 */
import { CancelledFailure, type LoadedDataConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import {
  internalKey,
  type SleepOperation,
  type SignalOperation,
  type StepContext,
  type StepDescriptor,
  type TaskDefinition,
} from './definition.ts';
import {
  Coroutine,
  isGenerator,
  isPromiseLike,
  Join,
  JoinSlot,
  type Host,
  type Pending,
} from './coroutine.ts';
import { shown } from './duration.ts';
import { numberOf } from './int64.ts';
import {
  type Entry,
  Journal,
  SignalWait,
  type Answers,
  type HistoryEvent,
  type Waiter,
} from './journal.ts';
import {
  branchGenerator,
  checkBranches,
  checkSignalName,
  operationUnknown,
  sleepMs,
} from './operation-check.ts';
import type { LiveRun, RunInfo } from './live-run.ts';
import { PayloadReader } from './payload-reader.ts';
import { isCancelled } from './run-failure.ts';
import { isKindMarker, kindKey, singleKey } from './task-kind.ts';
import { sourceLine } from './source-line.ts';
import { isThrown, TaskCodeError } from './task-errors.ts';
import { stepResult, valueResult, type RunResult } from './run-result.ts';

const { EventType } = proto.temporal.api.enums.v1;

export class Run implements LiveRun, Host, Answers {
  readonly workflowId: string;
  readonly runId: string;
  readonly definition: TaskDefinition;
  readonly journal: Journal;
  readonly #converter: LoadedDataConverter;
  readonly #reader: PayloadReader;
  info: RunInfo | undefined;
  /** The started event id of the last workflow task whose events it has seen. */
  position = 0;
  result: RunResult | undefined;
  broken: Error | undefined;
  cancelRequested = false;
  lastKey: string | undefined;
  #root: Coroutine | undefined;
  #params: Payload | undefined;
  #working = 0;
  #events: readonly HistoryEvent[] = [];
  #at = 0;
  #until = 0;
  #whenIdle: (() => void) | undefined;

  constructor(
    execution: { readonly workflowId: string; readonly runId: string },
    definition: TaskDefinition,
    converter: LoadedDataConverter,
  ) {
    this.workflowId = execution.workflowId;
    this.runId = execution.runId;
    this.definition = definition;
    this.#converter = converter;
    this.#reader = new PayloadReader(converter);
    this.journal = new Journal(this, true);
  }

  get keyRunId(): string {
    return this.info?.firstExecutionRunId ?? this.runId;
  }

  get stopped(): boolean {
    return this.result !== undefined || this.broken !== undefined;
  }

  /**
   * Takes up new events: learns the keys of all, applies those up to that id. Undefined when the code waits already;
   * else resolves when it does. Never rejects: see `broken`.
   */
  drive(events: readonly HistoryEvent[], untilEventId: number): Promise<void> | undefined {
    this.#events = events;
    this.#at = 0;
    this.#until = untilEventId;
    try {
      this.journal.index(events);
    } catch (error) {
      this.breakDown(error);
    }
    this.#pump();
    this.position = untilEventId;
    if (this.#isIdle()) return undefined;
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  #isIdle(): boolean {
    return this.stopped || (this.#working === 0 && this.#at >= this.#events.length);
  }

  #pump(): void {
    try {
      while (this.#working === 0 && !this.stopped && this.#at < this.#events.length) {
        const event = this.#events[this.#at];
        this.#at += 1;
        if (event && numberOf(event.eventId) <= this.#until) this.#apply(event);
      }
    } catch (error) {
      this.breakDown(error);
    }
    if (this.#isIdle()) this.#becomeIdle();
  }

  #becomeIdle(): void {
    this.#events = [];
    this.#at = 0;
    const whenIdle = this.#whenIdle;
    this.#whenIdle = undefined;
    whenIdle?.();
  }

  began(): void {
    this.#working += 1;
  }

  rested(): void {
    this.#working -= 1;
    if (this.#working === 0) this.#pump();
  }

  breakDown(error: unknown): void {
    if (this.stopped) return;
    this.broken = isThrown(error, Error)
      ? error
      : new TaskCodeError('WORKER_DEFECT', `The run could not be driven: ${shown(error)}`);
    this.#becomeIdle();
  }

  /** The code awaits something that is no step, and has done so for that long. */
  breakDownStalled(ms: number): void {
    const after = this.lastKey === undefined ? 'at its start' : `after the key "${this.lastKey}"`;
    this.breakDown(
      new TaskCodeError(
        'CODE_STALLED',
        `Task "${this.definition.name}" awaits something that is no step, ${after}, since ${ms} ms${this.#place()}. Code between steps runs again on recovery and must be quick: do what takes time inside a step.`,
      ),
    );
  }

  #place(generator: object | undefined = this.#root?.generator): string {
    const line = generator && sourceLine(generator);
    return line === undefined ? '' : `, at ${line}`;
  }

  /** The source line where the code waits, where that can be told. */
  get waitsAt(): string | undefined {
    return this.#root && sourceLine(this.#root.generator);
  }

  #apply(event: HistoryEvent): void {
    switch (event.eventType) {
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        this.#start(event);
        break;
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
        this.#cancelAll();
        break;
      default:
        this.journal.apply(event);
    }
  }

  #start(event: HistoryEvent): void {
    const started = event.workflowExecutionStartedEventAttributes;
    this.info = {
      firstExecutionRunId: started?.firstExecutionRunId || this.runId,
      taskQueue: started?.taskQueue?.name || this.definition.taskQueue,
      createdAt: event.eventTime,
    };
    this.#params = started?.input?.payloads?.[0] ?? undefined;
    const key = this.#undecidedKey();
    if (key === undefined) this.#startGenerator();
    else this.#startStep(key);
  }

  /** The key of the step that is the whole task, or shows that there are many; undefined when there are many. */
  #undecidedKey(): string | undefined {
    const { steps, everCompleted } = this.journal;
    if (steps.has(kindKey)) return kindKey;
    if (steps.get(singleKey)?.activityType === this.definition.name) {
      return this.definition.kind === 'multi' ? undefined : singleKey;
    }
    if (everCompleted || this.definition.kind === 'multi') return undefined;
    return this.definition.kind === 'single' ? singleKey : kindKey;
  }

  #startStep(key: string): void {
    const { task } = this.definition;
    const descriptor: StepDescriptor = {
      key,
      // Each attempt has parameters of its own: one that changed them does not mislead the next.
      call: (context: StepContext) => task(this.#decodedParams() as never, context) as unknown,
    };
    this.lastKey = key;
    this.journal.askRaw(descriptor, {
      resolve: (payload) => {
        if (isKindMarker(payload as Payload | undefined)) {
          this.definition.kind = 'multi';
          this.#startGenerator();
          return;
        }
        if (this.definition.kind === 'unknown') this.definition.kind = 'single';
        const read = (): unknown => this.#reader.value(payload as Payload, 'the result');
        this.#settle(
          stepResult(this.definition, this.#converter, payload as Payload | undefined, read),
        );
      },
      reject: (error) => {
        this.#end(error);
      },
    });
  }

  #decodedParams(): unknown {
    return this.#reader.value(this.#params, 'the parameters');
  }

  #startGenerator(): void {
    const params = this.#decodedParams();
    let made: unknown;
    try {
      made = (this.definition.task as (given: unknown) => unknown)(params);
    } catch (error) {
      this.#endAtStart(error);
      return;
    }
    if (!isPromiseLike(made)) {
      this.#startRoot(made);
      return;
    }
    this.began();
    made.then(
      (settled) => {
        this.#guarded(() => {
          this.#startRoot(settled);
        });
        this.rested();
      },
      (error: unknown) => {
        this.#endAtStart(error);
        this.rested();
      },
    );
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.breakDown(error);
    }
  }

  #startRoot(made: unknown): void {
    if (!isGenerator(made)) {
      throw new TaskCodeError(
        'TASK_KIND_CHANGED',
        `Task "${this.definition.name}" returned ${shown(made)} where its history has several steps; expected a generator. Give the changed task another name.`,
      );
    }
    this.#root = new Coroutine(
      made,
      this,
      {
        resolve: (value) => {
          this.#settle(valueResult(this.definition, this.#converter, value));
        },
        reject: (error) => {
          this.#end(error);
        },
      },
      false,
    );
    this.#root.start();
  }

  // How it ends.

  #settle(result: RunResult | PromiseLike<RunResult>): void {
    if (!isPromiseLike(result)) {
      this.result ??= result;
      return;
    }
    this.began();
    result.then(
      (settled) => {
        if (!this.stopped) this.result = settled;
        this.rested();
      },
      (error: unknown) => {
        this.breakDown(error);
        this.rested();
      },
    );
  }

  #end(error: unknown): void {
    if (this.stopped) return;
    this.result =
      this.cancelRequested && isCancelled(error)
        ? { kind: 'cancelled' }
        : { kind: 'failed', error };
  }

  /** Such as for parameters that it does not take. A cancel that came before it, in its delay, goes first. */
  #endAtStart(error: unknown): void {
    const isFirst = ({ eventType }: HistoryEvent): boolean =>
      eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED ||
      eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED;
    if (this.#events.find(isFirst)?.workflowExecutionCancelRequestedEventAttributes) {
      this.result ??= { kind: 'cancelled' };
    } else {
      this.#end(error);
    }
  }

  // Cancelling.

  #cancelAll(): void {
    if (this.cancelRequested) return;
    this.cancelRequested = true;
    // What the code asks while it is told is not asked too late: it is refused at once.
    for (const wait of Array.from(this.journal.waits)) {
      if (this.stopped) return;
      if (this.journal.waits.has(wait)) this.cancel(wait);
    }
  }

  cancel(pending: Pending): void {
    if (pending instanceof Coroutine || pending instanceof Join) {
      pending.cancel();
      return;
    }
    const { waiter } = pending;
    if (pending.shielded || !waiter) return;
    this.journal.giveUp(pending);
    waiter.reject(cancelled(this.cancelRequested));
  }

  // What the code asks.

  ask(operation: unknown, waiter: Waiter, owner: Coroutine): Pending | undefined {
    try {
      return this.#asked(operation, waiter, owner);
    } catch (error) {
      if (isThrown(error, TaskCodeError)) {
        this.breakDown(
          new TaskCodeError(
            error.code,
            `Task "${this.definition.name}"${this.#place(owner.generator)}: ${error.message}`,
            { cause: error.cause },
          ),
        );
      } else {
        this.breakDown(error);
      }
      return undefined;
    }
  }

  #asked(operation: unknown, waiter: Waiter, owner: Coroutine): Pending | undefined {
    if (typeof operation === 'object' && operation !== null) {
      if ('call' in operation && typeof operation.call === 'function') {
        return this.#askedStep(operation as StepDescriptor, waiter, owner);
      }
      if ('op' in operation) {
        switch (operation.op) {
          case 'sleep':
            return this.#askedSleep(operation as SleepOperation, waiter, owner);
          case 'signal':
            return this.#askedSignal(operation as SignalOperation, waiter, owner);
          case 'all':
          case 'race':
            return this.#askedBranches(
              operation as { op: 'all' | 'race'; branches: readonly unknown[] },
              waiter,
              owner,
            );
          default:
        }
      }
    }
    throw operationUnknown(operation, this.lastKey);
  }

  #refused(shielded: boolean | undefined, waiter: Waiter, owner: Coroutine): boolean {
    if (shielded === true || !(this.cancelRequested || owner.cancelled)) return false;
    waiter.reject(cancelled(this.cancelRequested));
    return true;
  }

  #askedStep(descriptor: StepDescriptor, waiter: Waiter, owner: Coroutine): Pending | undefined {
    if (this.#refused(descriptor.shielded, waiter, owner)) return undefined;
    const entry = this.journal.askStep(descriptor, waiter, internalKey in descriptor);
    this.lastKey = entry.id;
    return entry;
  }

  #askedSleep(operation: SleepOperation, waiter: Waiter, owner: Coroutine): Pending | undefined {
    const durationMs = sleepMs(operation);
    const { key, shielded } = operation;
    if (this.#refused(shielded, waiter, owner)) return undefined;
    const entry = this.journal.askSleep(key, durationMs, waiter, shielded === true);
    this.lastKey = entry.id;
    return entry;
  }

  #askedSignal(operation: SignalOperation, waiter: Waiter, owner: Coroutine): Pending | undefined {
    const { name, key, shielded } = operation;
    checkSignalName(operation);
    if (this.#refused(shielded, waiter, owner)) return undefined;
    this.lastKey = key ?? name;
    return this.journal.askSignal(name, key, waiter, shielded === true);
  }

  #askedBranches(
    operation: { readonly op: 'all' | 'race'; readonly branches: readonly unknown[] },
    waiter: Waiter,
    owner: Coroutine,
  ): Pending | undefined {
    const { op, branches } = operation;
    checkBranches(op, branches, op === 'race' ? 1 : 0);
    if (branches.length === 0) {
      waiter.resolve([]);
      return undefined;
    }
    const join = new Join(this, waiter, op === 'race', branches.length);
    for (let index = 0; index < branches.length; index += 1) {
      if (this.stopped || (op === 'race' && join.decided)) break;
      const slot = new JoinSlot(join, index);
      join.started(index, this.#startBranch(branches[index], slot, owner));
    }
    return join;
  }

  #startBranch(branch: unknown, slot: JoinSlot, owner: Coroutine): Pending | undefined {
    const generator = branchGenerator(branch);
    if (generator === undefined) return this.#asked(branch, slot, owner);
    const coroutine = new Coroutine(generator, this, slot, owner.cancelled);
    coroutine.start();
    return coroutine;
  }

  // What the history answers.

  deliver(entry: Entry, event: HistoryEvent): void {
    this.#reader.answer(entry, event);
  }

  deliverSignal(wait: SignalWait, event: HistoryEvent): void {
    const payload = event.workflowExecutionSignaledEventAttributes?.input?.payloads?.[0];
    wait.waiter.resolve(this.#reader.value(payload, wait.key ?? wait.name));
  }

  /** What to run for a step that the code waits for. */
  stepOf(activityId: string): StepDescriptor | undefined {
    return this.journal.steps.get(activityId)?.descriptor;
  }
}

function cancelled(byRequest: boolean): CancelledFailure {
  return new CancelledFailure(byRequest ? 'The task was cancelled' : 'Another branch was faster');
}
