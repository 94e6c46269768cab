/**
 * What a task is, for those who define it and for the runtime that drives it: steps, what else a task may yield,
 * policies with their defaults, and the definition that the worker needs. Data and checks only; it starts nothing.
 *
 * Read next: steps.ts (the typed words of a task's code), run.ts (how it is driven).
 */
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { parseDuration, shown, type Duration } from './duration.ts';
import { isFields, unknownField } from './known-fields.ts';
import { isStandardSchema, type StandardSchema } from './standard-schema.ts';

/** What a step is given when it runs. */
export interface StepContext {
  /** Aborted when the task is cancelled, or when nobody waits for this attempt any more. */
  readonly signal: AbortSignal;
  /** Of the task whose step this is. */
  readonly taskId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** The same in every attempt of this step, and for this step only: give it to the outside service. */
  readonly idempotencyKey: string;
  readonly log: Logger;
  /** Says that the step is alive, with details kept for whoever looks; sent at most every 200 ms or so. */
  heartbeat(details?: unknown): void;
  /** What `getStatus` shows as `progress` while the step runs. */
  progress(value: unknown): void;
}

export interface RetryPolicy {
  /** Tries after the first; 3 by default, 0 for none, Infinity for no end. */
  readonly maxRetries?: number;
  /** Before the first retry; 1000 ms by default. 0 is at once, which is 1 ms. */
  readonly initialDelay?: Duration;
  /** The longest delay; 30000 ms by default. */
  readonly maxDelay?: Duration;
  /** 2 by default, at least 1. */
  readonly backoffMultiplier?: number;
  /** Names of errors (an error's `name`, an ApplicationFailure's `type`) that are not retried. */
  readonly nonRetryable?: readonly string[];
}

/** In milliseconds or as strings such as `'90s'`. */
export interface Timeouts {
  /** One attempt; 30 minutes by default. */
  readonly startToClose?: Duration;
  /** All attempts together, with the waits between them. */
  readonly scheduleToClose?: Duration;
  /** Waiting for a free worker. */
  readonly scheduleToStart?: Duration;
  /** Between two heartbeats. */
  readonly heartbeat?: Duration;
}

export interface TaskLimit {
  /** Steps of this task that may run at once, in each process. */
  readonly concurrent?: number;
  /**
   * Steps of this task that may start in any second, in each process. Above 1 a fraction is cut off; below 1 it is one
   * start in that much more than a second.
   */
  readonly perSecond?: number;
}

export interface StepOptions {
  readonly retryPolicy?: RetryPolicy;
  readonly timeouts?: Timeouts;
  /** Runs although the task was cancelled: for clean-up. */
  readonly shielded?: boolean;
}

/** One step: `yield { key, call }`. Its value is what the payload of the result decodes to. */
export interface StepDescriptor<T = unknown> extends StepOptions {
  /** Its name in the history; not holding `#`, at most 900 bytes. */
  readonly key: string;
  readonly call: (context: StepContext) => T | PromiseLike<T>;
}

/** Marks a part of a composed step, whose key may hold `#`: `upload#submit`. For this house's own words only. */
export const internalKey: unique symbol = Symbol.for('everstep.internalKey');

export interface InternalStepDescriptor<T = unknown> extends StepDescriptor<T> {
  readonly [internalKey]: true;
}

export interface SleepOperation {
  readonly op: 'sleep';
  readonly duration: Duration;
  readonly key?: string;
  readonly shielded?: boolean;
}

export interface SignalOperation {
  readonly op: 'signal';
  readonly name: string;
  readonly key?: string;
  readonly shielded?: boolean;
}

/** Every branch runs; the value is the list of theirs. Fails with the first failure; the others go on. */
export interface AllOperation {
  readonly op: 'all';
  readonly branches: readonly unknown[];
}

/** The first branch to end decides, and the others are cancelled. The value is `{ index, value }`. */
export interface RaceOperation {
  readonly op: 'race';
  readonly branches: readonly unknown[];
}

/**
 * A task's function. What the call returns shows what it is: a generator is a task of many steps, anything else
 * is the result of the task's one step.
 */
export type TaskFunction<TParams, TResult> = (
  params: TParams,
  activity: StepContext,
) =>
  // oxlint-disable-next-line typescript/no-explicit-any -- what a yield returns is the step's, and not known here
  Promise<TResult> | AsyncGenerator<unknown, TResult, any> | Generator<unknown, TResult, any>;

// oxlint-disable-next-line typescript/no-explicit-any -- any input, unless the schema says which
export interface TaskOptions<TParams, TResult, TInput = any> {
  /** 1 to 200 bytes. */
  readonly name: string;
  readonly task: TaskFunction<TParams, TResult>;
  readonly taskQueue?: string;
  readonly retryPolicy?: RetryPolicy;
  readonly timeouts?: Timeouts;
  readonly limit?: TaskLimit;
  readonly schema?: {
    readonly params?: StandardSchema<TInput, TParams>;
    readonly result?: StandardSchema<unknown, TResult>;
  };
}

/** A policy with every default filled in; times in ms. */
export interface StepPolicy {
  /** 0 is without end. */
  readonly maximumAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly backoffMultiplier: number;
  readonly nonRetryable: readonly string[];
}

/** 0 is "not set". */
export interface StepTimeouts {
  readonly startToCloseMs: number;
  readonly scheduleToCloseMs: number;
  readonly scheduleToStartMs: number;
  readonly heartbeatMs: number;
}

/** `unknown` until a call has shown it. */
type TaskKind = 'single' | 'multi' | 'unknown';

/** What the worker needs of whatever it drives. */
export interface RunDefinition {
  readonly name: string;
  readonly workflowType: string;
  /** Empty until the component has named it. */
  taskQueue: string;
  readonly retryPolicy: StepPolicy;
  readonly timeouts: StepTimeouts;
  readonly limit: TaskLimit | undefined;
  readonly schema: {
    readonly params?: StandardSchema | undefined;
    readonly result?: StandardSchema | undefined;
  };
  /** `context` is a workflow whose code has a context. */
  kind: TaskKind | 'context';
}

/** One object for each task of a process: what is learnt of its kind stays in it. */
export interface TaskDefinition extends RunDefinition {
  readonly task: TaskFunction<never, unknown>;
  kind: TaskKind;
}

/** What messages call it. */
export function nounOf(definition: RunDefinition): 'task' | 'workflow' {
  return definition.kind === 'context' ? 'workflow' : 'task';
}

export const defaultRetryPolicy: StepPolicy = {
  maximumAttempts: 4,
  initialDelayMs: 1000,
  maxDelayMs: 30_000,
  backoffMultiplier: 2,
  nonRetryable: [],
};

export const defaultTimeouts: StepTimeouts = {
  startToCloseMs: 30 * 60_000,
  scheduleToCloseMs: 0,
  scheduleToStartMs: 0,
  heartbeatMs: 0,
};

const taskFields: readonly string[] = [
  'name',
  'task',
  'taskQueue',
  'retryPolicy',
  'timeouts',
  'limit',
  'schema',
];
const workflowTypePrefix = 'asyncTask_';
const nameBytesMax = 200;

/**
 * A checked definition. `taskQueue` is empty when the options name none.
 *
 * @throws EverstepError TASK_OPTIONS_INVALID naming the field and what is expected.
 */
export function defineTask<TParams, TResult, TInput>(
  options: TaskOptions<TParams, TResult, TInput>,
): TaskDefinition {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`The options of a task are ${shown(options)}; expected { name, task }.`);
  }
  const { name, task, taskQueue, limit, schema } = options;
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > nameBytesMax) {
    throw invalid(
      `The name of a task is ${shown(name)}; expected a string of 1 to ${nameBytesMax} bytes.`,
    );
  }
  if (/[\0\p{Surrogate}]/u.test(name)) {
    throw invalid(
      `The name of a task is ${shown(name)}, which holds NUL or half of a character (a lone surrogate).`,
    );
  }
  const where = `Task "${name}": `;
  const odd = unknownField(options, taskFields);
  if (odd !== undefined) throw invalid(`${where}${odd}.`);
  if (typeof task !== 'function') {
    throw invalid(`${where}task is ${shown(task)}; expected a function or a generator function.`);
  }
  if (taskQueue !== undefined && (typeof taskQueue !== 'string' || taskQueue === '')) {
    throw invalid(`${where}taskQueue is ${shown(taskQueue)}; expected a name.`);
  }
  checkLimit(limit, where);
  if (schema !== undefined) checkFields(schema, ['params', 'result'], `${where}schema`);
  for (const part of ['params', 'result'] as const) {
    if (schema?.[part] !== undefined && !isStandardSchema(schema[part])) {
      throw invalid(
        `${where}schema.${part} is ${shown(schema[part])}; expected a Standard Schema (zod, valibot, arktype).`,
      );
    }
  }
  return {
    name,
    workflowType: workflowTypePrefix + name,
    taskQueue: taskQueue ?? '',
    task: task as unknown as TaskFunction<never, unknown>,
    retryPolicy: layRetryPolicy(defaultRetryPolicy, options.retryPolicy, where),
    timeouts: layTimeouts(defaultTimeouts, options.timeouts, where),
    limit: limit?.concurrent === undefined && limit?.perSecond === undefined ? undefined : limit,
    schema: { params: schema?.params as StandardSchema, result: schema?.result as StandardSchema },
    kind: kindOf(task),
  };
}

/**
 * Where the steps of a task wait: one that is limited has a queue of its own, so that it never blocks others. So have
 * those of a worker that shares `taskQueue` with workers of other tasks (`apart`): steps are matched by queue alone.
 */
export function stepQueue(
  definition: Pick<TaskDefinition, 'workflowType' | 'limit'>,
  taskQueue: string,
  apart = '',
): string {
  if (definition.limit) return `${taskQueue}/${definition.workflowType}`;
  return apart === '' ? taskQueue : `${taskQueue}/${apart}`;
}

const nativeKinds: Readonly<Record<string, TaskKind>> = {
  GeneratorFunction: 'multi',
  AsyncGeneratorFunction: 'multi',
  AsyncFunction: 'single',
};

function kindOf(task: unknown): TaskKind {
  const tag = Object.prototype.toString.call(task).slice(8, -1);
  return (Object.hasOwn(nativeKinds, tag) ? nativeKinds[tag] : undefined) ?? 'unknown';
}

/**
 * `over` laid over `base`.
 *
 * @param where Whose it is, for messages: `Task "image": `.
 * @throws EverstepError TASK_OPTIONS_INVALID naming the field.
 */
export function layRetryPolicy(
  base: StepPolicy,
  over: RetryPolicy | undefined,
  where: string,
): StepPolicy {
  if (over === undefined) return base;
  const known = ['maxRetries', 'initialDelay', 'maxDelay', 'backoffMultiplier', 'nonRetryable'];
  checkFields(over, known, `${where}retryPolicy`);
  const { maxRetries, backoffMultiplier, nonRetryable } = over;
  if (maxRetries !== undefined && !isWhole(maxRetries) && maxRetries !== Infinity) {
    throw invalid(
      `${where}retryPolicy.maxRetries is ${shown(maxRetries)}; expected a whole number of 0 or more, or Infinity.`,
    );
  }
  if (
    backoffMultiplier !== undefined &&
    !(typeof backoffMultiplier === 'number' && backoffMultiplier >= 1 && backoffMultiplier <= 1e6)
  ) {
    throw invalid(
      `${where}retryPolicy.backoffMultiplier is ${shown(backoffMultiplier)}; expected a number of 1 or more.`,
    );
  }
  if (nonRetryable !== undefined) checkNames(nonRetryable, `${where}retryPolicy.nonRetryable`);
  // At once is 1 ms: on the wire, 0 is "not set".
  const initialDelayMs = Math.max(
    1,
    laid(base.initialDelayMs, over.initialDelay, `${where}retryPolicy.initialDelay`, 0),
  );
  const maxDelayMs = laid(
    // A first delay over the inherited maximum is meant.
    Math.max(base.maxDelayMs, initialDelayMs),
    over.maxDelay,
    `${where}retryPolicy.maxDelay`,
  );
  if (maxDelayMs < initialDelayMs) {
    throw invalid(
      `${where}retryPolicy.maxDelay is ${maxDelayMs} ms; expected at least initialDelay, which is ${initialDelayMs} ms.`,
    );
  }
  return {
    maximumAttempts:
      maxRetries === undefined
        ? base.maximumAttempts
        : maxRetries === Infinity
          ? 0
          : maxRetries + 1,
    initialDelayMs,
    maxDelayMs,
    backoffMultiplier: backoffMultiplier ?? base.backoffMultiplier,
    nonRetryable: nonRetryable ?? base.nonRetryable,
  };
}

/**
 * `over` laid over `base`.
 *
 * @throws EverstepError TASK_OPTIONS_INVALID naming the field.
 */
export function layTimeouts(
  base: StepTimeouts,
  over: Timeouts | undefined,
  where: string,
): StepTimeouts {
  if (over === undefined) return base;
  const known = ['startToClose', 'scheduleToClose', 'scheduleToStart', 'heartbeat'];
  checkFields(over, known, `${where}timeouts`);
  return {
    startToCloseMs: laid(base.startToCloseMs, over.startToClose, `${where}timeouts.startToClose`),
    scheduleToCloseMs: laid(
      base.scheduleToCloseMs,
      over.scheduleToClose,
      `${where}timeouts.scheduleToClose`,
    ),
    scheduleToStartMs: laid(
      base.scheduleToStartMs,
      over.scheduleToStart,
      `${where}timeouts.scheduleToStart`,
    ),
    heartbeatMs: laid(base.heartbeatMs, over.heartbeat, `${where}timeouts.heartbeat`),
  };
}

/** What is wrong with a policy, without whose it is: `retryPolicy.maxRetries is …; expected …`. */
export function retryPolicyProblem(policy: unknown): string | undefined {
  try {
    layRetryPolicy(defaultRetryPolicy, policy as RetryPolicy | undefined, '');
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/\.$/, '');
  }
}

function checkNames(names: unknown, field: string): void {
  if (!Array.isArray(names)) {
    throw invalid(`${field} is ${shown(names)}; expected a list of error names.`);
  }
  const at = names.findIndex((name) => typeof name !== 'string');
  if (at === -1) return;
  const odd: unknown = names[at];
  const expected =
    typeof odd === 'function' && odd.name !== '' ? `its name, ${shown(odd.name)}` : 'an error name';
  throw invalid(`${field}[${at}] is ${shown(odd)}; expected ${expected}.`);
}

function laid(
  baseMs: number,
  over: Duration | undefined,
  field: string,
  leastMs: 0 | 1 = 1,
): number {
  if (over === undefined) return baseMs;
  const parsed = parseDuration(over, leastMs);
  if (parsed.problem !== undefined) throw invalid(`${field} ${parsed.problem}.`);
  return parsed.ms;
}

function checkLimit(limit: TaskLimit | undefined, where: string): void {
  if (limit === undefined) return;
  checkFields(limit, ['concurrent', 'perSecond'], `${where}limit`);
  const { concurrent, perSecond } = limit;
  if (concurrent !== undefined && !(isWhole(concurrent) && concurrent > 0)) {
    throw invalid(
      `${where}limit.concurrent is ${shown(concurrent)}; expected a whole number of 1 or more.`,
    );
  }
  if (
    perSecond !== undefined &&
    !(typeof perSecond === 'number' && perSecond > 0 && Number.isFinite(perSecond))
  ) {
    throw invalid(`${where}limit.perSecond is ${shown(perSecond)}; expected a number over 0.`);
  }
}

function checkFields(value: unknown, known: readonly string[], where: string): void {
  if (!isFields(value)) {
    throw invalid(`${where} is ${shown(value)}; expected an object.`);
  }
  const odd = unknownField(value, known);
  if (odd !== undefined) throw invalid(`${where}.${odd}.`);
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31 - 1;
}

function invalid(message: string): EverstepError {
  return new EverstepError('TASK_OPTIONS_INVALID', message);
}
