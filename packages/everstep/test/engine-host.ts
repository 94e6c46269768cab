/** One process of a world, driven tersely: clients and workers are this object's methods. */
import assert from 'node:assert/strict';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Engine } from '../src/engine/engine.ts';
import { attributeTypes } from '../src/engine/search-attributes.ts';
import type { AttributeType } from '../src/engine/search-attributes.ts';
import type { Command, Failure, HistoryEvent } from '../src/core/proto.ts';
import { durationOf, longOf } from '../src/core/time.ts';
import { ServiceError } from '../src/service/service-error.ts';
import type { CallContext } from '../src/service/workflow-service.ts';
import type { Store } from '../src/store/store.ts';
import { nameOf, payloadsOf } from './core-driver.ts';
import type { ManualClock } from './manual-clock.ts';

export type WorkflowTask = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse;
export type StepTask = temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse;
export type Start = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
type PollRequest = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest;
type StepPollRequest = temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest;
type Completed = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;

const namespace = 'default';
const { HistoryEventFilterType, TaskQueueKind, WorkflowExecutionStatus } =
  proto.temporal.api.enums.v1;

/** What a process shares with the others of its world. */
interface HostWorld {
  readonly clock: ManualClock;
  uuid(): string;
}

export class Host {
  readonly service: Engine['service'];
  readonly engine: Engine;
  readonly store: Store;
  readonly #world: HostWorld;
  readonly #vanish: () => Promise<void>;
  #gone = false;

  constructor(world: HostWorld, engine: Engine, store: Store, vanish: () => Promise<void>) {
    this.#world = world;
    this.engine = engine;
    this.service = engine.service;
    this.store = store;
    this.#vanish = vanish;
  }

  /** Dies without stopping: whatever it was doing stays as it is. */
  async vanish(): Promise<void> {
    this.#gone = true;
    await this.#vanish();
  }

  async leave(): Promise<void> {
    if (this.#gone) return;
    this.#gone = true;
    await this.engine.stop();
    await this.#vanish();
  }

  // Clients

  /** Name to type, such as { Colour: 'Keyword' }. */
  async register(attributes: Readonly<Record<string, AttributeType>>): Promise<void> {
    await this.engine.operator.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, type]) => [name, attributeTypes[type]]),
      ),
    });
  }

  async start(workflowId: string, request: Start = {}): Promise<string> {
    const reply = await this.startReply(workflowId, request);
    return reply.runId ?? '';
  }

  startReply(workflowId: string, request: Start = {}) {
    return this.service.startWorkflowExecution({
      namespace,
      workflowId,
      workflowType: { name: 'Order' },
      taskQueue: { name: 'orders' },
      input: payloadsOf('input'),
      identity: 'client',
      ...request,
    });
  }

  signal(workflowId: string, signalName = 'go', requestId = '', runId = '') {
    return this.service.signalWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
      signalName,
      requestId,
      identity: 'client',
    });
  }

  cancel(workflowId: string, runId = '') {
    return this.service.requestCancelWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
      requestId: this.#world.uuid(),
    });
  }

  terminate(workflowId: string, runId = '') {
    return this.service.terminateWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
      reason: 'enough',
    });
  }

  delete(workflowId: string, runId = '') {
    return this.service.deleteWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
    });
  }

  describe(workflowId: string, runId = ''): Promise<Description> {
    return this.service.describeWorkflowExecution({ namespace, execution: { workflowId, runId } });
  }

  /** 'RUNNING', 'COMPLETED', … */
  async status(workflowId: string, runId = ''): Promise<string> {
    const { workflowExecutionInfo } = await this.describe(workflowId, runId);
    const name: string | undefined = WorkflowExecutionStatus[workflowExecutionInfo?.status ?? 0];
    return (name ?? '').slice('WORKFLOW_EXECUTION_STATUS_'.length);
  }

  /** All pages. */
  async history(workflowId: string, runId = '', maximumPageSize = 0): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    let nextPageToken: Uint8Array | undefined;
    do {
      const page = await this.service.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId, runId },
        maximumPageSize,
        ...(nextPageToken ? { nextPageToken } : {}),
      });
      events.push(...(page.history?.events ?? []));
      nextPageToken = page.nextPageToken ?? undefined;
    } while (nextPageToken && nextPageToken.length > 0);
    events.forEach((event, index) => {
      assert.equal(Number(event.eventId), index + 1, 'event ids have no gaps');
    });
    return events;
  }

  async names(workflowId: string, runId = '', from = 1): Promise<string[]> {
    return (await this.history(workflowId, runId)).slice(from - 1).map(nameOf);
  }

  /** The last event of that name. */
  async event(workflowId: string, name: string, runId = ''): Promise<HistoryEvent> {
    const events = await this.history(workflowId, runId);
    const event = events.findLast((candidate) => nameOf(candidate) === name);
    return event ?? assert.fail(`no ${name} in ${events.map(nameOf).join(', ')}`);
  }

  waitForClose(workflowId: string, runId = '', nextPageToken?: Uint8Array) {
    return this.service.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      waitNewEvent: true,
      historyEventFilterType: HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
      ...(nextPageToken ? { nextPageToken } : {}),
    });
  }

  query(workflowId: string, runId = '', call: CallContext = {}, extra: object = {}) {
    return this.service.queryWorkflow(
      { namespace, execution: { workflowId, runId }, query: { queryType: 'state' }, ...extra },
      call,
    );
  }

  list(query = '', extra: object = {}) {
    return this.service.listWorkflowExecutions({ namespace, query, ...extra });
  }

  async listed(query = ''): Promise<string[]> {
    const { executions } = await this.list(query);
    return (executions ?? []).map((info) => info.execution?.workflowId ?? '').sort();
  }

  // Workers that poll

  /** The task that is there now, or undefined; the poll does not stay. */
  async tryPoll(
    taskQueue = 'orders',
    request: PollRequest = {},
  ): Promise<WorkflowTask | undefined> {
    const reply = await this.#atOnce((call) =>
      this.service.pollWorkflowTaskQueue(
        { namespace, taskQueue: { name: taskQueue }, identity: 'worker', ...request },
        call,
      ),
    );
    return reply.taskToken && reply.taskToken.length > 0 ? reply : undefined;
  }

  async poll(taskQueue = 'orders', request: PollRequest = {}): Promise<WorkflowTask> {
    const task = await this.tryPoll(taskQueue, request);
    return task ?? assert.fail(`no workflow task on ${taskQueue}`);
  }

  stickyPoll(taskQueue: string): Promise<WorkflowTask | undefined> {
    return this.tryPoll(taskQueue, {
      taskQueue: {
        name: taskQueue,
        kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY,
        normalName: 'orders',
      },
    });
  }

  async tryPollStep(
    taskQueue = 'steps',
    request: StepPollRequest = {},
  ): Promise<StepTask | undefined> {
    const reply = await this.#atOnce((call) =>
      this.service.pollActivityTaskQueue(
        { namespace, taskQueue: { name: taskQueue }, identity: 'worker', ...request },
        call,
      ),
    );
    return reply.taskToken && reply.taskToken.length > 0 ? reply : undefined;
  }

  async pollStep(taskQueue = 'steps'): Promise<StepTask> {
    const task = await this.tryPollStep(taskQueue);
    return task ?? assert.fail(`no activity task on ${taskQueue}`);
  }

  complete(task: WorkflowTask, commands: readonly Command[] = [], request: Completed = {}) {
    return this.service.respondWorkflowTaskCompleted({
      namespace,
      taskToken: task.taskToken ?? null,
      identity: 'worker',
      commands: [...commands],
      ...request,
    });
  }

  /** A whole turn of a worker. */
  async turn(commands: readonly Command[] = [], taskQueue = 'orders'): Promise<WorkflowTask> {
    const task = await this.poll(taskQueue);
    await this.complete(task, commands);
    await this.#world.clock.settle();
    return task;
  }

  failTask(task: WorkflowTask, cause = 14) {
    return this.service.respondWorkflowTaskFailed({
      namespace,
      taskToken: task.taskToken ?? null,
      cause,
      failure: { message: 'worker trouble' },
    });
  }

  completeStep(task: StepTask, result: unknown = 'charged') {
    return this.service.respondActivityTaskCompleted({
      namespace,
      taskToken: task.taskToken ?? null,
      result: payloadsOf(result),
      identity: 'worker',
    });
  }

  failStep(task: StepTask, failure: Failure = { applicationFailureInfo: { type: 'Declined' } }) {
    return this.service.respondActivityTaskFailed({
      namespace,
      taskToken: task.taskToken ?? null,
      failure: { message: 'declined', ...failure },
      identity: 'worker',
    });
  }

  cancelStep(task: StepTask) {
    return this.service.respondActivityTaskCanceled({
      namespace,
      taskToken: task.taskToken ?? null,
      identity: 'worker',
    });
  }

  heartbeat(task: StepTask, details: unknown = 'half') {
    return this.service.recordActivityTaskHeartbeat({
      namespace,
      taskToken: task.taskToken ?? null,
      details: payloadsOf(details),
      identity: 'worker',
    });
  }

  answerQuery(task: WorkflowTask, answer: unknown) {
    return this.service.respondQueryTaskCompleted({
      namespace,
      taskToken: task.taskToken ?? null,
      completedType: 1,
      queryResult: payloadsOf(answer),
    });
  }

  /** Lets the call have what is there without time passing, then gives up. */
  async #atOnce<T>(poll: (call: CallContext) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const reply = poll({ signal: controller.signal });
    await this.#world.clock.settle();
    controller.abort();
    return reply;
  }
}

export function sticky(name: string, scheduleToStartMs = 5_000): Completed {
  return {
    stickyAttributes: {
      workerTaskQueue: {
        name,
        kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY,
        normalName: 'orders',
      },
      scheduleToStartTimeout: durationOf(scheduleToStartMs),
    },
  };
}

export function eventIds(task: Pick<WorkflowTask, 'history'>): number[] {
  return (task.history?.events ?? []).map((event) => Number(event.eventId));
}

export function decoded(payloads: temporal.api.common.v1.IPayloads | null | undefined): unknown {
  const data = payloads?.payloads?.[0]?.data;
  return data ? (JSON.parse(new TextDecoder().decode(data)) as unknown) : undefined;
}

/** The service error that the call must end with. */
export async function refused(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  return assert.fail('the call was not refused');
}

export { durationOf, longOf };
