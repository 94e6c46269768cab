/** One call of an activity by a workflow, as the step that it is on the wire. */
import {
  defaultPayloadConverter,
  type LoadedDataConverter,
  type Payload,
} from '@temporalio/common';
import { ApplicationFailure } from '@temporalio/common';
import {
  Activity,
  stepOptionsOf,
  type ActivityFunction,
  type ExecuteActivityOptions,
} from './activity.ts';
import type { RetryPolicy, StepContext, StepDescriptor, Timeouts } from './definition.ts';
import { shown } from './duration.ts';
import { payloadBytes } from './payload-bytes.ts';
import { payloadBytesMax } from './run-result.ts';
import { serializationProblem } from './serialization-problem.ts';
import { stepFailureTypes, TaskCodeError } from './task-errors.ts';

/** What `executeActivity` takes. */
export type GivenActivity = Activity<never, unknown> | ActivityFunction<never, unknown> | string;

export class ActivityCall implements StepDescriptor {
  readonly key: string;
  readonly type: string;
  readonly input: Payload;
  readonly taskQueue: string | undefined;
  readonly retryPolicy: RetryPolicy;
  readonly timeouts: Timeouts;
  readonly shielded: boolean;
  readonly #run: ActivityFunction<unknown, unknown> | undefined;
  readonly #converter: LoadedDataConverter;

  constructor(
    key: string,
    target: ActivityTarget,
    input: Payload,
    options: ExecuteActivityOptions,
    converter: LoadedDataConverter,
  ) {
    const laid = { ...target.options, ...options };
    const policy = stepOptionsOf(laid, `Activity "${target.name}": `);
    this.key = key;
    this.type = target.name;
    this.input = input;
    this.taskQueue = policy.taskQueue;
    this.retryPolicy = policy.retryPolicy;
    this.timeouts = policy.timeouts;
    this.shielded = laid.shielded === true;
    this.#run = target.run;
    this.#converter = converter;
  }

  /** Each attempt has an input of its own: one that changed it does not mislead the next. */
  readonly call = (context: StepContext): unknown => {
    if (this.#run === undefined) throw activityUnknown(this.type);
    return this.#run(this.#converter.payloadConverter.fromPayload(this.input), context);
  };
}

/** The activity's own name is all that is known where another worker has its code. */
export interface ActivityTarget {
  readonly name: string;
  readonly run: ActivityFunction<unknown, unknown> | undefined;
  readonly options: ExecuteActivityOptions;
}

/** @throws TaskCodeError STEP_OPTIONS_INVALID */
export function activityTarget(given: GivenActivity): ActivityTarget {
  if (given instanceof Activity) {
    const { name, run, options } = given;
    return { name, run: run as ActivityFunction<unknown, unknown>, options };
  }
  if (typeof given === 'string' && given !== '')
    return { name: given, run: undefined, options: {} };
  if (typeof given === 'function') {
    if (given.name === '') {
      throw new TaskCodeError(
        'STEP_OPTIONS_INVALID',
        'executeActivity was given a function without a name, which its history needs; name it, or use activity({ name, run })',
      );
    }
    return { name: given.name, run: given as ActivityFunction<unknown, unknown>, options: {} };
  }
  throw new TaskCodeError(
    'STEP_OPTIONS_INVALID',
    `executeActivity was given ${shown(given)}; expected a function, an activity, or the name of one that another worker runs`,
  );
}

/**
 * @param whose For messages: `activity "charge#1"`.
 * @throws ApplicationFailure INPUT_NOT_SERIALIZABLE, INPUT_TOO_LARGE: what was given, not how, so the code may catch it.
 */
export function inputPayload(
  converter: LoadedDataConverter,
  input: unknown,
  whose: string,
): Payload {
  const { payloadConverter } = converter;
  let payload: Payload;
  try {
    const problem =
      payloadConverter === defaultPayloadConverter
        ? serializationProblem(input, 'input', 'taken')
        : undefined;
    if (problem !== undefined) throw notSerializable(whose, problem);
    payload = payloadConverter.toPayload(input);
  } catch (cause) {
    if (cause instanceof ApplicationFailure) throw cause;
    throw notSerializable(whose, cause instanceof Error ? cause.message : String(cause));
  }
  const bytes = payloadBytes(payload);
  if (bytes <= payloadBytesMax) return payload;
  throw ApplicationFailure.nonRetryable(
    `The input of ${whose} is ${bytes} bytes when serialised; the limit is ${payloadBytesMax} bytes (2 MiB). Keep large data in a file or an object store and pass its address`,
    stepFailureTypes.inputTooLarge,
  );
}

function notSerializable(whose: string, why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The input of ${whose} cannot be serialised: ${why}. Expected what JSON can hold`,
    stepFailureTypes.inputNotSerializable,
  );
}

/** No code for it in this process: another may have it. */
export function activityUnknown(type: string): ApplicationFailure {
  return ApplicationFailure.create({
    message: `No activity "${type}" is known in this process: register it on the component, or name the queue of the worker that has it as taskQueue`,
    type: stepFailureTypes.stepUnknown,
  });
}
