/**
 * Workflows with a context: what the user writes, and the handle by which they are started. It talks to an official
 * client and to nothing below it. How they run is in context-run.ts.
 */
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { EverstepError } from '../service/error-codes.ts';
import { systemClock, systemRandom } from '../service/system-clock.ts';
import type { TaskConnection } from './async-task.ts';
import { defaultRetryPolicy, defaultTimeouts, type RunDefinition } from './definition.ts';
import { shown } from './duration.ts';
import { inTransaction } from './in-transaction.ts';
import { unknownField } from './known-fields.ts';
import { payloadBytes } from './payload-bytes.ts';
import { payloadBytesMax } from './run-result.ts';
import { serializationProblem } from './serialization-problem.ts';
import { checkStartOptions, refusedStart, type WorkflowStartOptions } from './start-options.ts';
import { clientProblem } from './task-client.ts';
import { isStandardSchema, parseBySchema, type StandardSchema } from './standard-schema.ts';
import type { InputArguments, WorkflowFunction, WorkflowLike } from './workflow-context.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- any raw input, unless the schema says which
export interface WorkflowOptions<TInput, TResult, TRaw = any> {
  /** Its workflow type; 1 to 200 bytes. */
  readonly name: string;
  readonly taskQueue?: string;
  /** Checked and parsed at start; the result when the run ends. */
  readonly schema?: {
    readonly input?: StandardSchema<TRaw, TInput>;
    readonly result?: StandardSchema<unknown, TResult>;
  };
}

/** What the worker needs of a workflow. */
export interface WorkflowDefinition extends RunDefinition {
  readonly kind: 'context';
  readonly run: WorkflowFunction<never, unknown>;
}

/** The function as the official client's types see it. */
export type WorkflowOf<TInput, TResult> = (input: TInput) => Promise<TResult>;

const optionFields: readonly string[] = ['name', 'taskQueue', 'schema'];
const nameBytesMax = 200;

/** What `start` takes: what the schema reads, where there is one, and otherwise what the code is given. */
type StartInput<TInput, TRaw> = unknown extends TRaw ? TInput : TRaw;

/** A workflow, made by `workflow()`. */
// oxlint-disable-next-line typescript/no-explicit-any -- any raw input: one with a schema is one without, too
export class Workflow<TInput = unknown, TResult = unknown, TRaw = any> implements WorkflowLike<
  TInput,
  TResult
> {
  readonly #definition: WorkflowDefinition;
  /** As they were given. */
  readonly #options: object;
  readonly #run: WorkflowFunction<TInput, TResult>;
  #connection: TaskConnection | undefined;

  /** @throws EverstepError WORKFLOW_OPTIONS_INVALID naming the field. */
  constructor(
    options: WorkflowOptions<TInput, TResult, TRaw>,
    run: WorkflowFunction<TInput, TResult>,
  ) {
    this.#definition = defineWorkflow(options, run);
    this.#options = options;
    this.#run = run;
  }

  /** Its name: any Temporal client can start it, with its input as the one argument. */
  get workflowType(): string {
    return this.#definition.workflowType;
  }

  /** The queue it names, or has taken from its component; empty before that. */
  get taskQueue(): string {
    return this.#definition.taskQueue;
  }

  /** What the worker runs. */
  get definition(): WorkflowDefinition {
    return this.#definition;
  }

  getName(): string {
    return this.#definition.name;
  }

  getWorkflowFunction(): WorkflowFunction<TInput, TResult> {
    return this.#run;
  }

  /** The same workflow once more, to be connected to another component of this process. */
  copy(): Workflow<TInput, TResult, TRaw> {
    return new Workflow(this.#options as WorkflowOptions<TInput, TResult, TRaw>, this.#run);
  }

  /**
   * Starts through that client; without a component, workflows without a queue go to `async-tasks`.
   *
   * @throws EverstepError WORKFLOW_OPTIONS_INVALID when it is no client.
   */
  setClient(client: Client): void {
    const problem = clientProblem(client);
    if (problem !== undefined) throw invalid(`${this.#where}setClient() was given ${problem}.`);
    this.connect({ client, taskQueue: 'async-tasks', clock: systemClock, random: systemRandom });
  }

  /** Called by the component when it starts, and with nothing when it stops. */
  connect(connection: TaskConnection | undefined): void {
    this.#connection = connection;
  }

  /**
   * The official client's handle, once the start is durable; with `tx`, once it is part of your transaction.
   *
   * @throws EverstepError WORKFLOW_INPUT_INVALID, WORKFLOW_OPTIONS_INVALID, TRANSACTION_INVALID,
   * TRANSACTION_UNSUPPORTED: nothing was started; TASK_NOT_CONNECTED before the component has started. Else what the official client throws, such as
   * WorkflowExecutionAlreadyStartedError.
   */
  async start(
    ...[input, options]: InputArguments<StartInput<TInput, TRaw>, WorkflowStartOptions>
  ): Promise<WorkflowHandleWithFirstExecutionRunId<WorkflowOf<TInput, TResult>>> {
    const { client, taskQueue, random } = this.#connected('start');
    const start = await this.#startOptions(input, options ?? {}, taskQueue, random.uuid());
    const started = () =>
      client.workflow.start<WorkflowOf<TInput, TResult>>(this.workflowType, start);
    try {
      return await (options?.tx === undefined
        ? started()
        : inTransaction(client, options.tx, started));
    } catch (error) {
      throw refusedStart(error, this.#where);
    }
  }

  /**
   * Its result, when it has ended.
   *
   * @throws as `start`, and the official client's WorkflowFailedError.
   */
  async execute(
    ...[input, options]: InputArguments<StartInput<TInput, TRaw>, WorkflowStartOptions>
  ): Promise<TResult> {
    const { client, taskQueue, random } = this.#connected('execute');
    if (options?.tx !== undefined) {
      throw invalid(
        `${this.#where}execute() waits for the end of the run, which begins after your commit. Use start() with tx, commit, then await the handle's result().`,
      );
    }
    const start = await this.#startOptions(input, options ?? {}, taskQueue, random.uuid());
    let handle: WorkflowHandleWithFirstExecutionRunId<WorkflowOf<TInput, TResult>>;
    try {
      handle = await client.workflow.start<WorkflowOf<TInput, TResult>>(this.workflowType, start);
    } catch (error) {
      throw refusedStart(error, this.#where);
    }
    return handle.result();
  }

  get #where(): string {
    return `Workflow "${this.getName()}": `;
  }

  #connected(method: string): TaskConnection {
    if (this.#connection !== undefined) return this.#connection;
    throw new EverstepError(
      'TASK_NOT_CONNECTED',
      `Workflow "${this.getName()}" is not connected, so ${method}() cannot reach its engine. Register it on an AsyncTaskComponent that is started, or give it a client with setClient().`,
    );
  }

  async #startOptions(
    input: unknown,
    options: WorkflowStartOptions,
    taskQueue: string,
    uuid: string,
  ): Promise<never> {
    checkStartOptions(options, this.#where);
    const parsed = await this.#parsed(input);
    this.#checkInput(parsed);
    const { tx: _, ...clientOptions } = options;
    return {
      ...clientOptions,
      workflowId: options.workflowId ?? uuid,
      taskQueue: options.taskQueue ?? (this.taskQueue || taskQueue),
      args: [parsed],
      // Its shape hangs on the input's type, which is known to the callers of this and not here.
    } as never;
  }

  #parsed(input: unknown): Promise<unknown> {
    return parseBySchema(this.#definition.schema.params, input, {
      code: 'WORKFLOW_INPUT_INVALID',
      of: `workflow "${this.getName()}"`,
      what: 'input',
      root: 'input',
    });
  }

  #checkInput(input: unknown): void {
    const converter = this.#connection?.client.options.loadedDataConverter.payloadConverter;
    if (converter !== defaultPayloadConverter) return;
    const problem = serializationProblem(input, 'input', 'refused');
    if (problem !== undefined) throw this.#notSerializable(problem);
    let bytes: number;
    try {
      bytes = payloadBytes(defaultPayloadConverter.toPayload(input));
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : shown(cause);
      throw this.#notSerializable(message, cause);
    }
    if (bytes <= payloadBytesMax) return;
    throw new EverstepError(
      'WORKFLOW_INPUT_INVALID',
      `The input of workflow "${this.getName()}" is ${bytes} bytes when serialised; the limit is ${payloadBytesMax} bytes (2 MiB). Keep large data in a file or an object store and pass its address.`,
    );
  }

  #notSerializable(problem: string, cause?: unknown): EverstepError {
    return new EverstepError(
      'WORKFLOW_INPUT_INVALID',
      `The input of workflow "${this.getName()}" cannot be serialised: ${problem}. Expected what JSON can hold.`,
      { cause },
    );
  }
}

/**
 * A workflow of that name; `run` is its code.
 *
 * ```ts
 * const order = workflow({ name: 'order' }, async (ctx, input: { id: string }) => {
 *   await ctx.executeActivity(charge, input.id);
 *   await ctx.sleep('3 days');
 *   return ctx.step('review', () => askForReview(input.id));
 * });
 * ```
 *
 * @throws EverstepError WORKFLOW_OPTIONS_INVALID naming the field.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- any raw input, unless the schema says which
export function workflow<TInput = void, TResult = unknown, TRaw = any>(
  options: WorkflowOptions<TInput, TResult, TRaw>,
  run: WorkflowFunction<TInput, TResult>,
): Workflow<TInput, TResult, TRaw> {
  return new Workflow(options, run);
}

function defineWorkflow<TInput, TResult, TRaw>(
  options: WorkflowOptions<TInput, TResult, TRaw>,
  run: WorkflowFunction<TInput, TResult>,
): WorkflowDefinition {
  if (typeof options !== 'object' || options === null) {
    throw invalid(
      `The options of a workflow are ${shown(options)}; expected { name }, and its function after them.`,
    );
  }
  const { name, taskQueue, schema } = options;
  if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > nameBytesMax) {
    throw invalid(
      `The name of a workflow is ${shown(name)}; expected a string of 1 to ${nameBytesMax} bytes.`,
    );
  }
  if (/[\0\p{Surrogate}]/u.test(name)) {
    throw invalid(
      `The name of a workflow is ${shown(name)}, which holds NUL or half of a character (a lone surrogate).`,
    );
  }
  const where = `Workflow "${name}": `;
  const odd = unknownField(options, optionFields);
  if (odd !== undefined) throw invalid(`${where}${odd}.`);
  if (typeof run !== 'function') {
    throw invalid(
      `${where}the second argument is ${shown(run)}; expected its function, async (ctx, input) => ….`,
    );
  }
  if (taskQueue !== undefined && (typeof taskQueue !== 'string' || taskQueue === '')) {
    throw invalid(`${where}taskQueue is ${shown(taskQueue)}; expected a name.`);
  }
  checkSchema(schema, where);
  return {
    name,
    workflowType: name,
    taskQueue: taskQueue ?? '',
    run: run as unknown as WorkflowFunction<never, unknown>,
    retryPolicy: defaultRetryPolicy,
    timeouts: defaultTimeouts,
    limit: undefined,
    schema: { params: schema?.input as StandardSchema, result: schema?.result as StandardSchema },
    kind: 'context',
  };
}

function checkSchema(schema: unknown, where: string): void {
  if (schema === undefined) return;
  if (typeof schema !== 'object' || schema === null) {
    throw invalid(`${where}schema is ${shown(schema)}; expected an object.`);
  }
  const odd = unknownField(schema, ['input', 'result']);
  if (odd !== undefined) throw invalid(`${where}schema.${odd}.`);
  for (const [part, value] of Object.entries(schema)) {
    if (value === undefined || isStandardSchema(value)) continue;
    throw invalid(
      `${where}schema.${part} is ${shown(value)}; expected a Standard Schema (zod, valibot, arktype).`,
    );
  }
}

function invalid(message: string): EverstepError {
  return new EverstepError('WORKFLOW_OPTIONS_INVALID', message);
}

/** Any workflow, whatever its input and result. */
export type AnyWorkflow = Workflow<never, unknown>;
