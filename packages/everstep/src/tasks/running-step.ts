/**
 * One attempt of a step, from its start to its answer: the context it is given, its heartbeats, what it is told while
 * it runs, and what its end means.
 */
import { ApplicationFailure, CancelledFailure, type LoadedDataConverter } from '@temporalio/common';
import type { ActivityTask } from '../service/local-worker.ts';
import type { LogFields, Logger } from '../service/logger.ts';
import type { RunDefinition, StepContext, StepDescriptor } from './definition.ts';
import { isGenerator, isPromiseLike } from './coroutine.ts';
import { Heartbeat, type HeartbeatAnswer } from './heartbeat.ts';
import { msOfDuration } from './int64.ts';
import { payloadBytes } from './payload-bytes.ts';
import type { PayloadEdge } from './payload-edge.ts';
import { withUsableDelay } from './retry-delay.ts';
import { temporalFailure, thrownFailure } from './run-failure.ts';
import { payloadBytesMax, resultProblem } from './run-result.ts';
import {
  isPassing,
  respondStep,
  stepFields,
  type StepOutcome,
  type StepResponseOptions,
} from './step-response.ts';
import { isThrown, stepFailureTypes } from './task-errors.ts';
import { kindKey, kindMarker, singleKey } from './task-kind.ts';

export interface RunningStepOptions extends StepResponseOptions {
  readonly converter: LoadedDataConverter;
  readonly edge: PayloadEdge;
  readonly automaticHeartbeats: boolean;
  /** The code of the step begins. */
  readonly onStarted: () => void;
  /** The code of the step has ended; its answer is about to leave. */
  readonly onEnded: () => void;
}

/** What the step is, as found in its run. */
export interface StepCall {
  readonly descriptor: StepDescriptor;
  readonly definition: RunDefinition;
  /** By which its idempotency key is told from those of other runs. */
  readonly keyRunId: string;
}

export class RunningStep {
  readonly task: ActivityTask;
  readonly #options: RunningStepOptions;
  #controller: AbortController | undefined;
  #heartbeat: Heartbeat | undefined;
  #interrupted: 'cancelRequested' | 'gone' | undefined;
  #ended = false;

  constructor(task: ActivityTask, options: RunningStepOptions) {
    this.task = task;
    this.#options = options;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#interrupted) this.#abort();
    }
    return this.#controller.signal;
  }

  /** Its code has ended, and its answer is on its way. */
  get answering(): boolean {
    return this.#ended;
  }

  /** Nobody waits for this attempt any more. */
  get gone(): boolean {
    return this.#interrupted === 'gone';
  }

  interrupt(reason: 'cancelRequested' | 'gone'): void {
    if (this.#ended || this.#interrupted === 'gone' || this.#interrupted === reason) return;
    const first = this.#interrupted === undefined;
    this.#interrupted = reason;
    if (first) this.#abort();
  }

  #abort(): void {
    this.#controller?.abort(
      new CancelledFailure(
        this.#interrupted === 'gone'
          ? `Nobody waits for attempt ${this.task.attempt ?? 1} of step "${this.task.activityId ?? ''}" any more`
          : 'The step was cancelled',
      ),
    );
  }

  /** Settles when the answer is with the service, or will never be. */
  async run(step: StepCall): Promise<void> {
    let outcome: StepOutcome;
    try {
      this.#beatByItself(step);
      this.#options.onStarted();
      const returned = step.descriptor.call(new Context(this, step, this.#options.logger));
      const value = isPromiseLike(returned) ? await returned : returned;
      outcome = this.#completed(step, value);
    } catch (error) {
      outcome = this.#thrown(error);
    }
    await this.#answer(outcome);
  }

  /** The step cannot be run. */
  async fail(error: unknown): Promise<void> {
    await this.#answer(this.#thrown(error));
  }

  async #answer(outcome: StepOutcome): Promise<void> {
    const unsent = this.#heartbeat?.end();
    this.#ended = true;
    const { edge, logger } = this.#options;
    try {
      this.#options.onEnded();
      if (this.#interrupted === 'gone') return;
      if (edge.open && unsent === undefined) {
        await respondStep(this.#options, this.task, outcome);
        return;
      }
      await respondStep(this.#options, this.task, await this.#encoded(outcome, unsent));
    } catch (error) {
      logger.error('A step could not answer', { ...stepFields(this.task), error });
    }
  }

  async #encoded(
    outcome: StepOutcome,
    unsent: NonNullable<ReturnType<Heartbeat['end']>> | undefined,
  ): Promise<StepOutcome> {
    const { edge } = this.#options;
    switch (outcome.kind) {
      case 'completed': {
        const [payload] = await edge.encode([outcome.payload]);
        return { kind: 'completed', payload: payload ?? outcome.payload };
      }
      case 'failed':
        return {
          kind: 'failed',
          failure: await edge.encodeFailure(outcome.failure),
          lastHeartbeat: unsent && (await edge.encode(unsent)),
        };
      case 'canceled':
        return outcome;
    }
  }

  #completed({ definition }: StepCall, value: unknown): StepOutcome {
    const key = this.task.activityId ?? '';
    if (this.#decidesKind(definition)) {
      if (isGenerator(value)) {
        definition.kind = 'multi';
        return { kind: 'completed', payload: kindMarker() };
      }
      if (definition.kind === 'unknown') definition.kind = 'single';
    }
    const { payloadConverter } = this.#options.converter;
    let payload;
    let why;
    try {
      why = resultProblem(payloadConverter, value);
      if (why === undefined) payload = payloadConverter.toPayload(value);
    } catch (cause) {
      why = cause instanceof Error ? cause.message : String(cause);
    }
    if (payload === undefined) {
      throw ApplicationFailure.create({
        message: `The result of step "${key}" cannot be serialised: ${why ?? 'it became no payload'}`,
        type: stepFailureTypes.resultNotSerializable,
        nonRetryable: true,
      });
    }
    const bytes = payloadBytes(payload);
    if (bytes <= payloadBytesMax) return { kind: 'completed', payload };
    throw ApplicationFailure.create({
      message: `The result of step "${key}" is ${bytes} bytes when serialised; the limit is ${payloadBytesMax} bytes (2 MiB). Keep large data in a file or an object store and return its address`,
      type: stepFailureTypes.resultTooLarge,
      nonRetryable: true,
    });
  }

  /** The whole task as one step, or its trial. */
  #decidesKind(definition: RunDefinition): boolean {
    const { activityId, activityType } = this.task;
    if (definition.kind === 'context') return false;
    return (
      activityId === kindKey || (activityId === singleKey && activityType?.name === definition.name)
    );
  }

  #thrown(error: unknown): StepOutcome {
    if (this.#interrupted === 'cancelRequested' && isAbort(error, this.#controller?.signal)) {
      return { kind: 'canceled' };
    }
    const failure = thrownFailure(error, this.#options.converter, stepError);
    return { kind: 'failed', failure, lastHeartbeat: undefined };
  }

  heartbeat(): Heartbeat {
    this.#heartbeat ??= this.#newHeartbeat(false);
    return this.#heartbeat;
  }

  #beatByItself({ descriptor, definition }: StepCall): void {
    if (!this.#options.automaticHeartbeats) return;
    const own = descriptor.timeouts?.heartbeat !== undefined || definition.timeouts.heartbeatMs > 0;
    if (!own) this.#heartbeat = this.#newHeartbeat(true);
  }

  #newHeartbeat(automatic: boolean): Heartbeat {
    const { clock, converter, logger } = this.#options;
    return new Heartbeat({
      clock,
      automatic,
      timeoutMs: msOfDuration(this.task.heartbeatTimeout),
      encode: (value) => converter.payloadConverter.toPayload(value),
      send: (payloads) => this.#beat(payloads),
      onAnswer: (answer) => {
        if (answer !== 'goOn') this.interrupt(answer);
      },
      onError: (error) => {
        // While the service is not to be reached, every step that runs loses some.
        const level = isPassing(error) ? 'debug' : 'warn';
        logger[level]('A heartbeat of a step was lost', { ...stepFields(this.task), error });
      },
      onUnreadable: (method, error) => {
        logger.warn(
          `A heartbeat of a step was lost: what ${method}() was given cannot be serialised; give it what JSON can hold`,
          { ...stepFields(this.task), error },
        );
      },
    });
  }

  async #beat(payloads: Parameters<PayloadEdge['encode']>[0]): Promise<HeartbeatAnswer> {
    const { service, namespace, identity, edge } = this.#options;
    try {
      const answer = await service.recordActivityTaskHeartbeat({
        taskToken: this.task.taskToken ?? new Uint8Array(),
        namespace,
        identity,
        details: { payloads: edge.open ? payloads : await edge.encode(payloads) },
      });
      return answer.cancelRequested ? 'cancelRequested' : 'goOn';
    } catch (error) {
      if (isPassing(error)) throw error;
      return 'gone';
    }
  }
}

/** The step ended because it was told to. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (isThrown(error, CancelledFailure) || (signal?.aborted && error === signal.reason))
    return true;
  for (let at = error, depth = 0; isThrown(at, Error) && depth < 5; at = at.cause, depth += 1) {
    if (at.name === 'AbortError' || at instanceof CancelledFailure) return true;
  }
  return false;
}

/** The service takes application failures only from a step. */
function stepError(error: unknown): ApplicationFailure {
  const failure = temporalFailure(error);
  if (failure instanceof ApplicationFailure) return withUsableDelay(failure);
  const wrapped = ApplicationFailure.create({
    message: failure.message,
    type: failure.name,
    cause: failure,
  });
  wrapped.stack = failure.stack ?? '';
  return wrapped;
}

class Context implements StepContext {
  readonly #step: RunningStep;
  readonly #call: StepCall;
  readonly #logger: Logger;

  constructor(step: RunningStep, call: StepCall, logger: Logger) {
    this.#step = step;
    this.#call = call;
    this.#logger = logger;
  }

  get signal(): AbortSignal {
    return this.#step.signal;
  }

  get taskId(): string {
    return this.#step.task.workflowExecution?.workflowId ?? '';
  }

  get attempt(): number {
    return this.#step.task.attempt ?? 1;
  }

  get idempotencyKey(): string {
    const { activityId } = this.#step.task;
    // The trial of a task and its one step are the same work.
    const key = activityId === kindKey ? singleKey : (activityId ?? '');
    return `${this.taskId}/${this.#call.keyRunId}/${key}`;
  }

  get log(): Logger {
    const fields = { task: this.#call.definition.name, ...stepFields(this.#step.task) };
    const at =
      (level: keyof Logger) =>
      (message: string, more?: LogFields): void => {
        this.#logger[level](message, more ? { ...fields, ...more } : fields);
      };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }

  // Functions of their own, so that a step may take its context apart.
  get heartbeat(): (details?: unknown) => void {
    return (details) => {
      this.#step.heartbeat().beat(details);
    };
  }

  get progress(): (value: unknown) => void {
    return (value) => {
      this.#step.heartbeat().progress(value);
    };
  }
}
