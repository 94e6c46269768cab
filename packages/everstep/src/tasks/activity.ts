/**
 * Activities of workflows: functions that run once they have a worker, are retried, and whose result is kept. A
 * function of its own name is one; `activity({ name, run })` gives one its name and its usual options. Their options
 * have the names that Temporal's have.
 */
import { EverstepError } from '../service/error-codes.ts';
import {
  defaultRetryPolicy,
  defaultTimeouts,
  layRetryPolicy,
  layTimeouts,
  type RetryPolicy,
  type StepContext,
  type Timeouts,
} from './definition.ts';
import { shown, type Duration } from './duration.ts';
import { isFields, unknownField } from './known-fields.ts';

/** What runs: it is given what its payload decodes to, live as after a crash. */
export type ActivityFunction<TInput, TResult> = (
  input: TInput,
  context: StepContext,
) => TResult | PromiseLike<TResult>;

/** Temporal's retry policy. What it does not say is as of a step: 4 attempts, from 1 s to 30 s, doubling. */
export interface ActivityRetry {
  /** All tries together; 0 or Infinity is without end. */
  readonly maximumAttempts?: number;
  readonly initialInterval?: Duration;
  readonly maximumInterval?: Duration;
  readonly backoffCoefficient?: number;
  readonly nonRetryableErrorTypes?: readonly string[];
}

export interface ActivityOptions {
  /** One attempt; 30 minutes by default. */
  readonly startToCloseTimeout?: Duration;
  /** All attempts together, with the waits between them. */
  readonly scheduleToCloseTimeout?: Duration;
  readonly scheduleToStartTimeout?: Duration;
  readonly heartbeatTimeout?: Duration;
  readonly retry?: ActivityRetry;
  /** Where it waits for a worker; the workflow's queue by default. */
  readonly taskQueue?: string;
}

/** For one call of an activity. */
export interface ExecuteActivityOptions extends ActivityOptions {
  /** Its key in the history; by default it is numbered by its name: `charge#1`. */
  readonly activityId?: string;
  /** Runs although the workflow was cancelled: for clean-up. */
  readonly shielded?: boolean;
}

const optionFields: readonly string[] = [
  'startToCloseTimeout',
  'scheduleToCloseTimeout',
  'scheduleToStartTimeout',
  'heartbeatTimeout',
  'retry',
  'taskQueue',
];
const callFields: readonly string[] = [...optionFields, 'activityId', 'shielded'];
const retryFields: readonly string[] = [
  'maximumAttempts',
  'initialInterval',
  'maximumInterval',
  'backoffCoefficient',
  'nonRetryableErrorTypes',
];
const nameBytesMax = 200;

/** An activity with a name. Made by `activity()`. */
export class Activity<TInput = unknown, TResult = unknown> {
  readonly name: string;
  readonly run: ActivityFunction<TInput, TResult>;
  readonly options: ActivityOptions;

  /** @throws EverstepError ACTIVITY_OPTIONS_INVALID naming the field. */
  constructor(definition: ActivityDefinition<TInput, TResult>) {
    if (typeof definition !== 'object' || definition === null) {
      throw invalid(`An activity is ${shown(definition)}; expected { name, run }.`);
    }
    const { name, run, ...options } = definition;
    if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > nameBytesMax) {
      throw invalid(
        `The name of an activity is ${shown(name)}; expected a string of 1 to ${nameBytesMax} bytes.`,
      );
    }
    const where = `Activity "${name}": `;
    if (typeof run !== 'function') {
      throw invalid(`${where}run is ${shown(run)}; expected a function.`);
    }
    const odd = unknownField(options, optionFields);
    if (odd !== undefined) throw invalid(`${where}${odd}.`);
    stepOptionsOf(options, where);
    this.name = name;
    this.run = run;
    this.options = options;
  }
}

export interface ActivityDefinition<TInput, TResult> extends ActivityOptions {
  /** Its type on the wire; 1 to 200 bytes. */
  readonly name: string;
  readonly run: ActivityFunction<TInput, TResult>;
}

/**
 * An activity under a name of its own, with the options of all its calls.
 *
 * @throws EverstepError ACTIVITY_OPTIONS_INVALID naming the field.
 */
export function activity<TInput, TResult>(
  definition: ActivityDefinition<TInput, TResult>,
): Activity<TInput, TResult> {
  return new Activity(definition);
}

/** Any activity with a name, whatever its input and result. */
export type AnyActivity = Activity<never, unknown>;

/** What the options say in the words of steps. */
export interface ActivityPolicy {
  readonly retryPolicy: RetryPolicy;
  readonly timeouts: Timeouts;
  readonly taskQueue: string | undefined;
}

/**
 * @param where Whose they are, for messages: `Activity "charge": `.
 * @throws EverstepError ACTIVITY_OPTIONS_INVALID naming the field by Temporal's name.
 */
export function stepOptionsOf(options: ExecuteActivityOptions, where: string): ActivityPolicy {
  const odd = unknownField(options, callFields);
  if (odd !== undefined) throw invalid(`${where}${odd}.`);
  const { taskQueue } = options;
  if (taskQueue !== undefined && (typeof taskQueue !== 'string' || taskQueue === '')) {
    throw invalid(`${where}taskQueue is ${shown(taskQueue)}; expected a name.`);
  }
  const retryPolicy = retryPolicyOf(options.retry, where);
  const timeouts: Timeouts = {
    ...given('startToClose', options.startToCloseTimeout),
    ...given('scheduleToClose', options.scheduleToCloseTimeout),
    ...given('scheduleToStart', options.scheduleToStartTimeout),
    ...given('heartbeat', options.heartbeatTimeout),
  };
  try {
    layRetryPolicy(defaultRetryPolicy, retryPolicy, '');
    layTimeouts(defaultTimeouts, timeouts, '');
  } catch (cause) {
    throw invalid(`${where}${inTemporalsWords(cause)}`);
  }
  return { retryPolicy, timeouts, taskQueue };
}

function retryPolicyOf(retry: ActivityRetry | undefined, where: string): RetryPolicy {
  if (retry === undefined) return {};
  if (!isFields(retry)) {
    throw invalid(`${where}retry is ${shown(retry)}; expected an object.`);
  }
  const odd = unknownField(retry, retryFields);
  if (odd !== undefined) throw invalid(`${where}retry.${odd}.`);
  const { maximumAttempts } = retry;
  if (
    maximumAttempts !== undefined &&
    maximumAttempts !== Infinity &&
    !(Number.isInteger(maximumAttempts) && maximumAttempts >= 0 && maximumAttempts < 2 ** 31)
  ) {
    throw invalid(
      `${where}retry.maximumAttempts is ${shown(maximumAttempts)}; expected a whole number of 1 or more, or 0 or Infinity for no end.`,
    );
  }
  return {
    ...(maximumAttempts !== undefined && {
      maxRetries:
        maximumAttempts === 0 || maximumAttempts === Infinity ? Infinity : maximumAttempts - 1,
    }),
    ...given('initialDelay', retry.initialInterval),
    ...given('maxDelay', retry.maximumInterval),
    ...given('backoffMultiplier', retry.backoffCoefficient),
    ...given('nonRetryable', retry.nonRetryableErrorTypes),
  };
}

function given<K extends string, V>(name: K, value: V | undefined): { [N in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [N in K]?: V };
}

const temporalsWords: readonly (readonly [RegExp, string])[] = [
  [/retryPolicy\.initialDelay|initialDelay/g, 'retry.initialInterval'],
  [/retryPolicy\.maxDelay/g, 'retry.maximumInterval'],
  [/retryPolicy\.backoffMultiplier/g, 'retry.backoffCoefficient'],
  [/retryPolicy\.nonRetryable/g, 'retry.nonRetryableErrorTypes'],
  [/timeouts\.(\w+)/g, '$1Timeout'],
];

function inTemporalsWords(error: unknown): string {
  let message = error instanceof Error ? error.message : String(error);
  for (const [ours, theirs] of temporalsWords) message = message.replace(ours, theirs);
  return message;
}

function invalid(message: string): EverstepError {
  return new EverstepError('ACTIVITY_OPTIONS_INVALID', message);
}
