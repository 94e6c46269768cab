/** A task's result: checked by its schema, serialisable, not over the limit. What is not fails the run and says why. */
import {
  ApplicationFailure,
  defaultPayloadConverter,
  type LoadedDataConverter,
  type Payload,
} from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { nounOf, type RunDefinition } from './definition.ts';
import { disown, isPromiseLike } from './coroutine.ts';
import { payloadBytes } from './payload-bytes.ts';
import { serializationProblem } from './serialization-problem.ts';
import { issuesText, type StandardSchemaResult } from './standard-schema.ts';
import { stepFailureTypes } from './task-errors.ts';

/** How the code ended. */
export type RunResult =
  | { readonly kind: 'completed'; readonly payload: Payload }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'cancelled' }
  /** Only of a workflow with a context: the run that follows begins with these. */
  | { readonly kind: 'continuedAsNew'; readonly next: NextRunRequest };

/** What a run that continues as new begins with. */
export interface NextRunRequest {
  readonly input: Payload;
  readonly workflowType: string;
  readonly taskQueue: string;
  /** Kept along the chain, as the first event says them. */
  readonly carried: Pick<
    temporal.api.command.v1.IContinueAsNewWorkflowExecutionCommandAttributes,
    'memo' | 'searchAttributes' | 'retryPolicy' | 'cronSchedule'
  >;
}

/** Temporal's limit for one payload. */
export const payloadBytesMax = 2 * 1024 * 1024;

type Checked = RunResult | PromiseLike<RunResult>;

/** What the code returned. */
export function valueResult(
  definition: RunDefinition,
  converter: LoadedDataConverter,
  value: unknown,
): Checked {
  disown(value);
  if (definition.schema.result) return checked(definition, converter, value);
  return written(definition, converter, value);
}

/** What the one step of the task returned; read only where there is a schema. */
export function stepResult(
  definition: RunDefinition,
  converter: LoadedDataConverter,
  payload: Payload | undefined,
  read: () => unknown,
): Checked {
  if (definition.schema.result) return checked(definition, converter, read());
  return fitting(definition, payload ?? converter.payloadConverter.toPayload(undefined));
}

function checked(
  definition: RunDefinition,
  converter: LoadedDataConverter,
  value: unknown,
): Checked {
  const schema = definition.schema.result;
  let validated;
  try {
    validated = schema?.['~standard'].validate(value) ?? { value };
  } catch (error) {
    return { kind: 'failed', error };
  }
  if (!isPromiseLike(validated)) return parsed(definition, converter, validated);
  return validated.then(
    (result) => parsed(definition, converter, result),
    (error: unknown): RunResult => ({ kind: 'failed', error }),
  );
}

function parsed(
  definition: RunDefinition,
  converter: LoadedDataConverter,
  result: StandardSchemaResult<unknown>,
): RunResult {
  if (result.issues !== undefined) {
    const message = `The schema of ${nounOf(definition)} "${definition.name}" refused its result: ${issuesText('result', result.issues)}`;
    return failed(message, stepFailureTypes.resultInvalid);
  }
  return written(definition, converter, result.value);
}

function written(
  definition: RunDefinition,
  { payloadConverter }: LoadedDataConverter,
  value: unknown,
): RunResult {
  try {
    const problem = resultProblem(payloadConverter, value);
    if (problem !== undefined) return notSerializable(definition, problem);
    return fitting(definition, payloadConverter.toPayload(value));
  } catch (error) {
    return notSerializable(definition, error);
  }
}

/** What of a step's or a task's result would be lost; a converter of the user's own knows what it can write. */
export function resultProblem(
  converter: LoadedDataConverter['payloadConverter'],
  value: unknown,
): string | undefined {
  return converter === defaultPayloadConverter
    ? serializationProblem(value, 'result', 'taken')
    : undefined;
}

function fitting(definition: RunDefinition, payload: Payload): RunResult {
  const bytes = payloadBytes(payload);
  if (bytes <= payloadBytesMax) return { kind: 'completed', payload };
  return failed(
    `The result of ${nounOf(definition)} "${definition.name}" is ${bytes} bytes when serialised; the limit is ${payloadBytesMax} bytes (2 MiB). Keep large data in a file or an object store and return its address`,
    stepFailureTypes.resultTooLarge,
  );
}

function notSerializable(definition: RunDefinition, problem: unknown): RunResult {
  const why = problem instanceof Error ? problem.message : String(problem);
  return failed(
    `The result of ${nounOf(definition)} "${definition.name}" cannot be serialised: ${why}`,
    stepFailureTypes.resultNotSerializable,
  );
}

function failed(message: string, type: string): RunResult {
  return { kind: 'failed', error: ApplicationFailure.nonRetryable(message, type) };
}
