/**
 * The async task: what the user writes, and the handle by which it is submitted, read and steered. It talks to an
 * official client and to nothing below it, so it works against the embedded engine and a Temporal server alike.
 * How a task runs is in task-worker.ts; what a status means is in task-status.ts.
 */
import type { Client } from '@temporalio/client';
import type { Clock, Random } from '../service/clock.ts';
import { EverstepError } from '../service/error-codes.ts';
import { systemClock, systemRandom } from '../service/system-clock.ts';
import {
  defineTask,
  type RetryPolicy,
  type TaskDefinition,
  type TaskFunction,
  type TaskOptions,
} from './definition.ts';
import { parseDuration, shown, type Duration } from './duration.ts';
import { isFields, unknownField } from './known-fields.ts';
import { listTasks, type ListQuery, type TaskList } from './list-tasks.ts';
import { retryTask } from './retry-task.ts';
import { checkedId, submitTask, type SubmitOptions } from './submit-task.ts';
import { queueBacklog } from './queue-backlog.ts';
import { whileRunning } from './running-task.ts';
import { clientProblem, reach } from './task-client.ts';
import { awaitResult, readStatus } from './task-reader.ts';
import type { TaskStatus } from './task-status.ts';
import { watchTask } from './watch-task.ts';
import { signalWebhook, type WebhookDelivery } from './webhook.ts';

export interface ResultOptions {
  /** How long to wait: ms or a string such as `'5m'`. By default until the task has ended. */
  readonly timeout?: Duration;
  /** Aborted, it waits no longer: the call rejects with the signal's reason, and the task goes on. */
  readonly signal?: AbortSignal;
}

export interface CancelOptions {
  /** For people: stands in the history, and in `error` and `failure` of the ended task's status. */
  readonly reason?: string;
}

/** What a task is given when its component starts. */
export interface TaskConnection {
  readonly client: Client;
  /** Where the task goes when it names no queue. */
  readonly taskQueue: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What `submit` takes: what the schema reads, where it says so, and otherwise what the task is given. */
export type SubmitParams<TParams, TInput> = unknown extends TInput ? TParams : TInput;

/**
 * A durable task: one function for one step, or a generator function for many.
 *
 * ```ts
 * const resize = new AsyncTask({
 *   name: 'resize',
 *   task: async function* (params: { url: string }) {
 *     const file = yield* step('fetch', () => download(params.url));
 *     return yield* step('resize', () => shrink(file));
 *   },
 * });
 * const id = await resize.submit({ url });
 * ```
 */
// oxlint-disable-next-line typescript/no-explicit-any -- any input: a task with a schema is one without, too
export class AsyncTask<TParams = unknown, TResult = unknown, TInput = any> {
  readonly #definition: TaskDefinition;
  readonly #task: TaskFunction<TParams, TResult>;
  /** As they were given. */
  readonly #options: object;
  #connection: TaskConnection | undefined;
  #disconnected = false;

  /** @throws EverstepError TASK_OPTIONS_INVALID, naming the field, what was wrong and what is expected. */
  constructor(options: TaskOptions<TParams, TResult, TInput>) {
    this.#definition = defineTask(options);
    this.#task = options.task;
    this.#options = options;
  }

  /** `asyncTask_<name>`, with `[params]` as its arguments: any Temporal client can start it. */
  get workflowType(): string {
    return this.#definition.workflowType;
  }

  /** The queue it names, or has taken from its component; empty before that. */
  get taskQueue(): string {
    return this.#definition.taskQueue;
  }

  /** What the worker runs. */
  get definition(): TaskDefinition {
    return this.#definition;
  }

  getName(): string {
    return this.#definition.name;
  }

  getTaskFunction(): TaskFunction<TParams, TResult> {
    return this.#task;
  }

  /** The policy of each step, with its defaults filled in. */
  getRetryPolicy(): Required<RetryPolicy> {
    const { maximumAttempts, initialDelayMs, maxDelayMs, backoffMultiplier, nonRetryable } =
      this.#definition.retryPolicy;
    return {
      maxRetries: maximumAttempts === 0 ? Infinity : maximumAttempts - 1,
      initialDelay: initialDelayMs,
      maxDelay: maxDelayMs,
      backoffMultiplier,
      nonRetryable,
    };
  }

  /**
   * Whether it has many steps. Of a function that is no generator function itself (wrapped, or compiled to an older
   * target) that is known once it has been called in this process; until then it counts as one step.
   */
  isMultiStep(): boolean {
    return this.#definition.kind === 'multi';
  }

  /** The same task once more, to be connected to another component of this process. */
  copy(): AsyncTask<TParams, TResult, TInput> {
    return new AsyncTask(this.#options as TaskOptions<TParams, TResult, TInput>);
  }

  /**
   * Submits and reads through that client; without a component, tasks without a queue go to `async-tasks`.
   *
   * @throws EverstepError TASK_OPTIONS_INVALID when it is no client.
   */
  setClient(client: Client): void {
    const problem = clientProblem(client);
    if (problem !== undefined) {
      throw new EverstepError(
        'TASK_OPTIONS_INVALID',
        `Task "${this.getName()}": setClient() was given ${problem}.`,
      );
    }
    this.connect({ client, taskQueue: 'async-tasks', clock: systemClock, random: systemRandom });
  }

  /** Called by the component when it starts, and with nothing when it stops. */
  connect(connection: TaskConnection | undefined): void {
    this.#disconnected = connection === undefined && this.#connection !== undefined;
    this.#connection = connection;
  }

  /**
   * Accepts the task and returns its id as soon as that is durable; the work goes on in a worker. The same `taskId`
   * with the same parameters is the same task, finished or not, so a submit may be repeated. With `tx` it is part of
   * your own transaction, and exists exactly if that commits.
   *
   * @throws EverstepError with `taskId` set: TASK_PARAMS_INVALID, TASK_PARAMS_NOT_SERIALIZABLE,
   * TASK_PARAMS_TOO_LARGE, TASK_ID_INVALID, TASK_ID_CONFLICT, SUBMIT_OPTIONS_INVALID, SUBMIT_FAILED, with `tx`
   * TRANSACTION_INVALID and TRANSACTION_UNSUPPORTED; and TASK_NOT_CONNECTED before the component has started.
   */
  submit(this: AsyncTask<undefined, unknown>): Promise<string>;
  submit(params: SubmitParams<TParams, TInput>, options?: SubmitOptions): Promise<string>;
  async submit(params?: unknown, options: SubmitOptions = {}): Promise<string> {
    const connection = this.#connected('submit');
    const { name, workflowType, taskQueue, schema } = this.#definition;
    return submitTask(
      connection,
      {
        name,
        workflowType,
        taskQueue: taskQueue === '' ? connection.taskQueue : taskQueue,
        paramsSchema: schema.params,
      },
      params,
      options,
    );
  }

  /** Its status now. An unknown id is the status `not_found`. @throws EverstepError TASK_NOT_CONNECTED. */
  async getStatus(taskId: string): Promise<TaskStatus<TResult>> {
    return (await this.#reach('getStatus', taskId, (connection, id) =>
      readStatus(connection, id),
    )) as TaskStatus<TResult>;
  }

  /**
   * Waits for the result.
   *
   * @throws EverstepError TASK_FAILED or TASK_CANCELLED, with the failure as its `cause`; RESULT_TIMEOUT;
   * TASK_NOT_FOUND; SUBMIT_OPTIONS_INVALID; TASK_NOT_CONNECTED.
   */
  async result(taskId: string, options: ResultOptions = {}): Promise<TResult> {
    this.#connected('result');
    checkCallOptions(options, ['timeout', 'signal'], taskId);
    const timeout = options.timeout === undefined ? undefined : parseDuration(options.timeout, 0);
    if (timeout?.problem !== undefined) {
      throw invalidOption(`timeout ${timeout.problem}.`, taskId);
    }
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidOption(`signal is ${shown(signal)}; expected an AbortSignal.`, taskId);
    }
    return (await this.#reach('result', taskId, (connection, id) =>
      awaitResult(connection, id, timeout?.ms, signal),
    )) as TResult;
  }

  /**
   * Asks the task to stop: a running step hears of it through its `signal`, the generator gets a CancelledFailure at
   * its yield and may clean up in shielded steps. Cancelling again, or after the end, changes nothing.
   *
   * @throws EverstepError TASK_NOT_FOUND, SUBMIT_OPTIONS_INVALID, TASK_NOT_CONNECTED.
   */
  async cancel(taskId: string, options: CancelOptions = {}): Promise<void> {
    this.#connected('cancel');
    const reason = checkedReason(options, taskId);
    await this.#reach('cancel', taskId, (connection, workflowId) =>
      whileRunning(connection, workflowId, () =>
        connection.client.workflowService.requestCancelWorkflowExecution({
          namespace: connection.client.options.namespace,
          identity: connection.client.options.identity,
          workflowExecution: { workflowId },
          requestId: connection.random.uuid(),
          reason,
        }),
      ),
    );
  }

  /**
   * Ends the task at once; its code does not hear of it, a running step is interrupted and its result dropped.
   *
   * @throws EverstepError TASK_NOT_FOUND, TASK_ALREADY_ENDED, SUBMIT_OPTIONS_INVALID, TASK_NOT_CONNECTED.
   */
  async terminate(taskId: string, options: CancelOptions = {}): Promise<void> {
    this.#connected('terminate');
    const reason = checkedReason(options, taskId);
    await this.#reach('terminate', taskId, (connection, workflowId) =>
      whileRunning(connection, workflowId, () =>
        connection.client.workflowService.terminateWorkflowExecution({
          namespace: connection.client.options.namespace,
          identity: connection.client.options.identity,
          workflowExecution: { workflowId },
          reason,
        }),
      ),
    );
  }

  /**
   * Lets a failed, timed out, cancelled or terminated task go on from its first unfinished step: completed steps stay,
   * failed ones are tried anew. (A step that completes in the very moment of a cancel may run again.)
   *
   * @throws EverstepError TASK_NOT_FOUND, TASK_NOT_RETRYABLE, TASK_NOT_CONNECTED.
   */
  async retry(taskId: string): Promise<void> {
    await this.#reach('retry', taskId, retryTask);
  }

  /**
   * Tasks of this name, newest first, by status and time; a string is a visibility query as it stands.
   *
   * @throws EverstepError LIST_QUERY_INVALID, TASK_NOT_CONNECTED.
   */
  list(query: ListQuery | string = {}): TaskList {
    return listTasks(() => this.#connected('list'), this.getName(), query);
  }

  /**
   * The status now and at each change, until the task has ended.
   *
   * @throws EverstepError TASK_NOT_FOUND, TASK_NOT_CONNECTED.
   */
  watch(taskId: string): AsyncGenerator<TaskStatus<TResult>, void, void> {
    return watchTask(this.#connected('watch'), checkedId(taskId)) as AsyncGenerator<
      TaskStatus<TResult>,
      void,
      void
    >;
  }

  /**
   * How much waits in the task's queue for a worker that has room: workflow tasks and steps, of every task that shares
   * the queue. A Temporal server counts approximately, and may be some seconds late.
   *
   * @throws EverstepError TASK_NOT_CONNECTED, SERVER_REFUSED when the server does not say.
   */
  async backlog(): Promise<number> {
    const connection = this.#connected('backlog');
    return reach(`backlog() of task "${this.getName()}"`, undefined, () =>
      queueBacklog(connection, this.#definition, connection.taskQueue),
    );
  }

  /**
   * Hands a provider's webhook to a `remoteJob` that waits for it (its `webhook` option names the secret). The
   * signature is checked before anything is written: HMAC-SHA256 over the raw body, hex or base64, with or without
   * `sha256=`. The same body sent again to the same key is one webhook. What no job of the task waits for (another key,
   * another secret than the job's) stays with the task and changes nothing.
   *
   * @throws EverstepError WEBHOOK_REFUSED (the signature does not fit), TASK_NOT_FOUND, TASK_ALREADY_ENDED,
   * TASK_NOT_CONNECTED.
   */
  async webhook(taskId: string, key: string, delivery: WebhookDelivery): Promise<void> {
    await this.#reach('webhook', taskId, (connection, id) =>
      signalWebhook(connection, id, key, delivery),
    );
  }

  /** One call about a task; when its component stops or fails under it, the error says so. */
  async #reach<T>(
    method: string,
    taskId: string,
    call: (connection: TaskConnection, taskId: string) => Promise<T>,
  ): Promise<T> {
    const connection = this.#connected(method);
    const id = checkedId(taskId);
    return reach(`${method}() of task ${id}`, id, () => call(connection, id));
  }

  #connected(method: string): TaskConnection {
    if (this.#connection !== undefined) return this.#connection;
    const name = this.getName();
    throw new EverstepError(
      'TASK_NOT_CONNECTED',
      this.#disconnected
        ? `Task "${name}" is not connected: its component was stopped, so ${method}() cannot reach its engine. What was submitted is kept. Register the task on a new AsyncTaskComponent and await start().`
        : `Task "${name}" is not connected, so ${method}() cannot reach its engine. Register it on an AsyncTaskComponent and call start() first, or give it a client with setClient().`,
    );
  }
}

function checkedReason(options: CancelOptions, taskId: string): string {
  checkCallOptions(options, ['reason'], taskId);
  const { reason = '' } = options;
  if (typeof reason !== 'string') {
    throw invalidOption(`options.reason is ${shown(reason)}; expected a string.`, taskId);
  }
  return reason;
}

function checkCallOptions(options: unknown, known: readonly string[], taskId: string): void {
  if (!isFields(options)) {
    throw invalidOption(
      `The options are ${shown(options)}; expected an object with ${known.join(', ')}.`,
      taskId,
    );
  }
  const odd = unknownField(options, known);
  if (odd !== undefined) throw invalidOption(`options.${odd}.`, taskId);
}

function invalidOption(problem: string, taskId: string): EverstepError {
  return new EverstepError('SUBMIT_OPTIONS_INVALID', problem, { taskId });
}

/**
 * The same class under the name that existing code uses.
 *
 * @alias
 */
export const TemporalAsyncTask = AsyncTask;
export type TemporalAsyncTask<
  TParams = unknown,
  TResult = unknown,
  // oxlint-disable-next-line typescript/no-explicit-any -- as of the class
  TInput = any,
> = AsyncTask<TParams, TResult, TInput>;
