/**
 * Submitting: one StartWorkflowExecution under an id made before the first try, so that a try whose outcome is
 * unknown can be repeated and is the same task.
 */
import type { Client } from '@temporalio/client';
import {
  defaultPayloadConverter,
  RawValue,
  type Payload,
  type PayloadConverter,
  type SearchAttributes,
  type TypedSearchAttributes,
} from '@temporalio/common';
import {
  encodeMapToPayloads,
  encodeToPayloads,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import { encodeUnifiedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { EverstepError } from '../service/error-codes.ts';
import { parseDuration, shown, type Duration } from './duration.ts';
import { inTransaction, transactionProblem, type TransactionHandle } from './in-transaction.ts';
import { isFields, unknownField } from './known-fields.ts';
import { paramsPayload } from './params-payload.ts';
import { serializationProblem } from './serialization-problem.ts';
import { parseBySchema, placePart, type StandardSchema } from './standard-schema.ts';
import { grpcCode, grpcCodeOf, historyPage, unreached, type TaskClient } from './task-client.ts';

export interface SubmitOptions {
  /** The task's id, and its idempotency key; a UUID by default. At most 1,000 bytes. */
  readonly taskId?: string;
  /** How long the task waits before its first step may start: ms or a string such as `'10m'`. At most 10 years. */
  readonly delay?: Duration;
  /** Values kept with the task and shown in lists; not indexed. */
  readonly memo?: Readonly<Record<string, unknown>>;
  /** Indexed values, as the official client takes them. */
  readonly searchAttributes?: SearchAttributes | TypedSearchAttributes;
  /**
   * Your own transaction: the task exists exactly if it commits. Nothing of it is seen before, by a worker either. What
   * fails in it fails the submit; roll it back then.
   */
  readonly tx?: TransactionHandle;
}

/** What of a task a submit needs. */
export interface SubmittedTask {
  readonly name: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly paramsSchema: StandardSchema | undefined;
}

const submitFields: readonly string[] = ['taskId', 'delay', 'memo', 'searchAttributes', 'tx'];

const { WorkflowIdReusePolicy, WorkflowIdConflictPolicy, TaskQueueKind } =
  proto.temporal.api.enums.v1;

/**
 * The task's id, once the start is durable.
 *
 * @throws EverstepError with `taskId` set: TASK_PARAMS_INVALID, TASK_PARAMS_NOT_SERIALIZABLE, TASK_PARAMS_TOO_LARGE,
 * TASK_ID_INVALID, SUBMIT_OPTIONS_INVALID: nothing was started. TASK_ID_CONFLICT: the id is another task's.
 * SUBMIT_FAILED: the service refused, or the outcome is unknown; submit again with the same id. TRANSACTION_INVALID,
 * TRANSACTION_UNSUPPORTED: `tx` is none that can be joined.
 */
export async function submitTask(
  task: TaskClient,
  definition: SubmittedTask,
  params: unknown,
  options: SubmitOptions,
): Promise<string> {
  checkFields(options);
  const taskId = options.taskId === undefined ? task.random.uuid() : checkedId(options.taskId);
  try {
    const delayMs = checkedDelay(options.delay);
    checkSearchAttributes(options.searchAttributes);
    const parsed = await parseBySchema(definition.paramsSchema, params, {
      code: 'TASK_PARAMS_INVALID',
      of: `task "${definition.name}"`,
      what: 'parameters',
      root: 'params',
    });
    const converter = task.client.options.loadedDataConverter.payloadConverter;
    const payload = paramsPayload(definition.name, parsed, converter);
    if (options.memo !== undefined) checkMemo(options.memo, converter);
    const started = () => start(task, definition, taskId, payload, delayMs, options);
    await ('tx' in options ? inTransaction(task.client, options.tx, started) : started());
  } catch (error) {
    throw withTaskId(error, taskId, 'tx' in options);
  }
  return taskId;
}

/** @throws EverstepError TASK_ID_INVALID */
export function checkedId(taskId: unknown): string {
  if (typeof taskId !== 'string' || taskId === '' || Buffer.byteLength(taskId) > 1000) {
    throw new EverstepError(
      'TASK_ID_INVALID',
      `taskId is ${shown(taskId)}; expected a string of 1 to 1000 bytes.`,
    );
  }
  // Stores end a text at NUL and have no half characters: two such ids would be one.
  if (/[\0\p{Surrogate}]/u.test(taskId)) {
    throw new EverstepError(
      'TASK_ID_INVALID',
      `taskId is ${shown(taskId)}, which holds NUL or half of a character (a lone surrogate); expected text that can be stored.`,
    );
  }
  return taskId;
}

function checkFields(options: unknown): void {
  if (!isFields(options)) {
    throw new EverstepError(
      'SUBMIT_OPTIONS_INVALID',
      `The options of submit are ${shown(options)}; expected an object.`,
    );
  }
  const odd = unknownField(options, submitFields);
  if (odd !== undefined) throw new EverstepError('SUBMIT_OPTIONS_INVALID', `options.${odd}.`);
  const problem = 'tx' in options ? transactionProblem(options.tx) : undefined;
  if (problem !== undefined) throw new EverstepError('SUBMIT_OPTIONS_INVALID', problem);
}

/** Each value of a memo is a payload of its own. */
function checkMemo(memo: unknown, converter: PayloadConverter): void {
  if (!isFields(memo)) {
    throw new EverstepError(
      'SUBMIT_OPTIONS_INVALID',
      `memo is ${shown(memo)}; expected an object.`,
    );
  }
  if (converter !== defaultPayloadConverter) return;
  for (const key of Object.keys(memo)) {
    const problem = memoProblem(memo, key);
    if (problem === undefined) continue;
    throw new EverstepError(
      'SUBMIT_OPTIONS_INVALID',
      `The memo cannot be serialised: ${problem}. Expected what JSON can hold.`,
    );
  }
}

function memoProblem(memo: object, key: string): string | undefined {
  const place = `memo${placePart(key)}`;
  try {
    const value = (memo as Readonly<Record<string, unknown>>)[key];
    return serializationProblem(value, place, 'refused');
  } catch (cause) {
    return `${place} cannot be read: ${cause instanceof Error ? cause.message : shown(cause)}`;
  }
}

/** @throws EverstepError SUBMIT_OPTIONS_INVALID */
function checkSearchAttributes(attributes: unknown): void {
  if (attributes === undefined) return;
  let problem: string;
  try {
    if (isFields(attributes)) {
      indexedFields(attributes as SearchAttributes);
      return;
    }
    problem = `is ${shown(attributes)}`;
  } catch (cause) {
    problem = `cannot be encoded: ${cause instanceof Error ? cause.message : shown(cause)}`;
  }
  throw new EverstepError(
    'SUBMIT_OPTIONS_INVALID',
    `searchAttributes ${problem}; expected TypedSearchAttributes, or { name: [value] }.`,
  );
}

function checkedDelay(delay: unknown): number {
  if (delay === undefined) return 0;
  const parsed = parseDuration(delay, 0);
  if (parsed.problem === undefined) return parsed.ms;
  throw new EverstepError('SUBMIT_OPTIONS_INVALID', `delay ${parsed.problem}.`);
}

function withTaskId(error: unknown, taskId: string, isInTransaction: boolean): EverstepError {
  if (error instanceof EverstepError && error.taskId === taskId) return error;
  if (error instanceof EverstepError) {
    return new EverstepError(error.code, error.message, { taskId, cause: error.cause });
  }
  const failed = unreached(error, `submit() of task ${taskId}`, taskId);
  // Stopped under it, it may have been accepted or not.
  if (failed?.code === 'COMPONENT_FAILED') return failed;
  const message = error instanceof Error ? error.message : String(error);
  if (grpcCodeOf(error) === grpcCode.invalidArgument) {
    return new EverstepError(
      'SUBMIT_FAILED',
      `Task ${taskId} was refused, and nothing was started: ${message}`,
      { taskId, cause: error },
    );
  }
  if (isInTransaction) {
    return new EverstepError(
      'SUBMIT_FAILED',
      `Task ${taskId} could not be submitted in the transaction: ${message} Roll the transaction back, and try all of it again.`,
      { taskId, cause: error },
    );
  }
  return new EverstepError(
    'SUBMIT_FAILED',
    `Task ${taskId} could not be submitted, or it is not known whether it was: ${message}. Submitting it again with the same taskId is safe.`,
    { taskId, cause: error },
  );
}

async function start(
  task: TaskClient,
  definition: SubmittedTask,
  taskId: string,
  payload: Payload,
  delayMs: number,
  options: SubmitOptions,
): Promise<void> {
  try {
    await (isPlain(task.client) ? startDirectly : startByClient)(
      task,
      definition,
      taskId,
      payload,
      delayMs,
      options,
    );
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (
      grpcCodeOf(error) === grpcCode.alreadyExists ||
      name === 'WorkflowExecutionAlreadyStartedError'
    ) {
      await expectSameTask(task, definition, taskId, payload);
      return;
    }
    throw error;
  }
}

/** Nothing of the user's stands between `client.workflow.start` and its one call. */
function isPlain(client: Client): boolean {
  const { interceptors, loadedDataConverter } = client.options;
  const workflow = interceptors?.workflow;
  const intercepted = Array.isArray(workflow) ? workflow.length > 0 : workflow !== undefined;
  return (
    !intercepted &&
    !('externalStorage' in loadedDataConverter && loadedDataConverter.externalStorage)
  );
}

/** The request of `client.workflow.start`, at a tenth of its cost: submits are the hot path of a web process. */
async function startDirectly(
  { client, random }: TaskClient,
  definition: SubmittedTask,
  workflowId: string,
  payload: Payload,
  delayMs: number,
  options: SubmitOptions,
): Promise<void> {
  const converter = client.options.loadedDataConverter;
  const payloads =
    converter.payloadCodecs.length === 0
      ? [payload]
      : await encodeToPayloads(converter, RawValue.fromPayload(payload));
  await client.workflowService.startWorkflowExecution({
    namespace: client.options.namespace,
    identity: client.options.identity,
    requestId: random.uuid(),
    workflowId,
    workflowType: { name: definition.workflowType },
    taskQueue: { name: definition.taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    input: { payloads: payloads ?? [] },
    workflowIdReusePolicy: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    ...(delayMs > 0 && { workflowStartDelay: msNumberToTs(delayMs) }),
    ...(options.memo !== undefined && {
      memo: { fields: await encodeMapToPayloads(converter, { ...options.memo }) },
    }),
    ...(options.searchAttributes !== undefined && {
      searchAttributes: { indexedFields: indexedFields(options.searchAttributes) },
    }),
  });
}

function indexedFields(
  attributes: SearchAttributes | TypedSearchAttributes,
): Record<string, Payload> {
  return isTyped(attributes)
    ? encodeUnifiedSearchAttributes(undefined, attributes)
    : encodeUnifiedSearchAttributes(attributes);
}

function isTyped(
  attributes: SearchAttributes | TypedSearchAttributes,
): attributes is TypedSearchAttributes {
  return 'getAll' in attributes && typeof attributes.getAll === 'function';
}

async function startByClient(
  { client }: TaskClient,
  definition: SubmittedTask,
  workflowId: string,
  payload: Payload,
  delayMs: number,
  options: SubmitOptions,
): Promise<void> {
  const { memo, searchAttributes } = options;
  await client.workflow.start(definition.workflowType, {
    workflowId,
    taskQueue: definition.taskQueue,
    args: [RawValue.fromPayload(payload)],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    ...(delayMs > 0 && { startDelay: delayMs }),
    ...(memo !== undefined && { memo: { ...memo } }),
    ...(searchAttributes !== undefined &&
      (isTyped(searchAttributes)
        ? { typedSearchAttributes: searchAttributes }
        : { searchAttributes })),
  });
}

/** The same id with the same type and parameters is the same task, finished or not. */
async function expectSameTask(
  task: TaskClient,
  definition: SubmittedTask,
  taskId: string,
  payload: Payload,
): Promise<void> {
  const { events } = await historyPage(task, { workflowId: taskId, runId: '' });
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  const type = started?.workflowType?.name ?? '';
  if (type !== definition.workflowType) {
    throw conflict(taskId, `of workflow type "${type}", not "${definition.workflowType}"`);
  }
  const [stored] = started?.input?.payloads ?? [];
  const codecs = task.client.options.loadedDataConverter.payloadCodecs;
  let decoded: Payload[] = stored === undefined ? [] : [stored];
  for (const codec of codecs.toReversed()) decoded = await codec.decode(decoded);
  if (!sameBytes(decoded[0]?.data, payload.data)) {
    throw conflict(taskId, 'which was submitted with other parameters');
  }
}

function conflict(taskId: string, what: string): EverstepError {
  return new EverstepError(
    'TASK_ID_CONFLICT',
    `The id ${taskId} belongs to another task already, ${what}. One id is one task, finished or not: use another taskId, or submit what was submitted under it.`,
    { taskId },
  );
}

function sameBytes(a: Uint8Array | null | undefined, b: Uint8Array | null | undefined): boolean {
  const empty = new Uint8Array();
  return Buffer.compare(a ?? empty, b ?? empty) === 0;
}
