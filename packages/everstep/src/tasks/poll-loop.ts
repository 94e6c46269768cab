/**
 * The worker over the public calls, for a service that is not in this process (gateway, Temporal Server): polls,
 * hands to the same TaskWorker, responds. It polls for no more than it has room for.
 *
 * A run that is live here is bound to a queue of this process, sticky: only what is new of its history is sent there.
 * When nobody takes it from there in time, it goes back to its normal queue with its whole history. A step that follows
 * from a workflow task is asked for in the answer (eager), if there is room for it; where the service does not grant
 * it, it comes by the step's queue.
 */
import { setMaxListeners } from 'node:events';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Clock } from '../service/clock.ts';
import type {
  ActivityTask,
  LocalWorker,
  WorkflowTask,
  WorkflowTaskOutcome,
} from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import { askEagerly, startGranted } from './eager-steps.ts';
import { durationOf, numberOf } from './int64.ts';
import { statusOf, wait } from './step-response.ts';

export interface PollLoopOptions {
  readonly service: WorkflowService;
  readonly worker: LocalWorker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For each queue and kind. */
  readonly pollers: number;
  /** By which the sticky queues of this process are told from those of others. */
  readonly instance: string;
  /** Of the code that this process runs. */
  readonly buildId?: string | undefined;
}

type CompletedRequest = temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest;
type Request = temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest;

/** What no repetition mends: unauthenticated, permission denied. */
const forGood: ReadonlySet<number> = new Set([7, 16]);
const delayMsMax = 10_000;
const pollMs = 60_000;
/** Longer than the service lets a poll wait. */
const pollDeadlineMs = pollMs + 10_000;
/** A run whose process is gone waits that long for it. Servers know of a sticky queue without pollers sooner. */
const stickyMs = 5_000;
/** How long the service may take to hear that this worker leaves. */
const farewellMs = 2_000;
const { TASK_QUEUE_KIND_NORMAL, TASK_QUEUE_KIND_STICKY } =
  proto.temporal.api.enums.v1.TaskQueueKind;
/** A refused poll looks again for room at least that often. */
const roomMs = 1000;

export class PollLoop {
  readonly #options: PollLoopOptions;
  readonly #stop = new AbortController();
  /** Polls for steps that are under way, by queue. */
  readonly #stepPolls = new Map<string, number>();
  #roomWaiters: (() => void)[] = [];
  failed = false;

  constructor(options: PollLoopOptions) {
    this.#options = options;
    // Every poll listens to it.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Rejects when the namespace is unknown, or the service refuses. */
  async start(): Promise<void> {
    const { service, worker, pollers } = this.#options;
    await service.describeNamespace({ namespace: worker.namespace });
    for (const normalName of worker.workflowTaskQueues) {
      const normal = { name: normalName, kind: TASK_QUEUE_KIND_NORMAL };
      const name = this.#stickyOf(normalName);
      const sticky = { name, kind: TASK_QUEUE_KIND_STICKY, normalName };
      for (let index = 0; index < pollers; index += 1) {
        this.#keep(() => this.#pollWorkflowTask(normalName, normal));
        this.#keep(() => this.#pollWorkflowTask(normalName, sticky));
      }
    }
    for (const taskQueue of worker.activityTaskQueues) {
      for (let index = 0; index < pollers; index += 1) {
        this.#keep(() => this.#pollStep(taskQueue));
      }
    }
  }

  /** Takes no more. Runs that are bound to this process are set free; a service that does not know how waits for it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.roomChanged();
    const { service, worker, clock, logger, instance } = this.#options;
    const { namespace, identity } = worker;
    const told = worker.workflowTaskQueues.map((taskQueue) =>
      service.shutdownWorker(
        {
          namespace,
          identity,
          taskQueue,
          stickyTaskQueue: this.#stickyOf(taskQueue),
          workerInstanceKey: instance,
          reason: 'The worker stops',
        },
        { deadline: clock.now() + farewellMs },
      ),
    );
    const failed = (await Promise.allSettled(told)).find(({ status }) => status === 'rejected');
    if (failed) logger.debug('The end of a worker could not be told', { ...failed });
  }

  #stickyOf(taskQueue: string): string {
    return `${this.#options.worker.identity}-${this.#options.instance}/${taskQueue}`;
  }

  /** So that a deployment can be told apart, without asking for versioning. */
  #version(): Pick<Request, 'workerVersionCapabilities'> {
    const { buildId } = this.#options;
    return buildId === undefined
      ? {}
      : { workerVersionCapabilities: { buildId, useVersioning: false } };
  }

  roomChanged(): void {
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const waiter of waiters) waiter();
  }

  #keep(poll: () => Promise<void>): void {
    const { clock, logger } = this.#options;
    const loop = async (): Promise<void> => {
      let failures = 0;
      while (!this.#stop.signal.aborted && !this.failed) {
        try {
          await poll();
          failures = 0;
        } catch (error) {
          if (this.#stop.signal.aborted) return;
          if (forGood.has(statusOf(error))) {
            this.failed = true;
            logger.error('The worker stops: the service refuses its polls', { error });
            return;
          }
          failures += 1;
          logger.warn('A poll failed; it is tried again', { error, failures });
          await wait(clock, Math.min(delayMsMax, 100 * 2 ** Math.min(failures, 10)));
        }
      }
    };
    void loop();
  }

  async #room(free: () => number): Promise<boolean> {
    while (free() <= 0) {
      if (this.#stop.signal.aborted) return false;
      await new Promise<void>((resolve) => {
        this.#roomWaiters.push(resolve);
        this.#options.clock.setTimer(roomMs, resolve);
      });
    }
    return !this.#stop.signal.aborted;
  }

  async #pollWorkflowTask(
    normalName: string,
    taskQueue: temporal.api.taskqueue.v1.ITaskQueue,
  ): Promise<void> {
    const { service, worker, clock } = this.#options;
    if (!(await this.#room(() => worker.freeWorkflowTaskSlots()))) return;
    const { namespace, identity } = worker;
    const task = (await service.pollWorkflowTaskQueue(
      { namespace, identity, taskQueue, ...this.#version() },
      { deadline: clock.now() + pollDeadlineMs, signal: this.#stop.signal },
    )) as WorkflowTask;
    await this.#drive(task, normalName);
  }

  /** The answer is not waited for: the next poll goes out meanwhile. */
  async #drive(task: WorkflowTask, taskQueue: string): Promise<void> {
    if (!task.taskToken?.length) return;
    const { worker, logger } = this.#options;
    const runId = task.workflowExecution?.runId ?? '';
    this.#sent(await worker.driveWorkflowTask(task), task, taskQueue).catch((error: unknown) => {
      // The history does not hold what the run thinks it holds.
      worker.evict(runId);
      logger.debug('A workflow task could not be answered', { runId, error });
    });
  }

  async #sent(outcome: WorkflowTaskOutcome, task: WorkflowTask, taskQueue: string): Promise<void> {
    const { service } = this.#options;
    switch (outcome.kind) {
      case 'completed':
        await this.#complete(outcome.request, task, taskQueue);
        break;
      case 'failed':
        await service.respondWorkflowTaskFailed(outcome.request);
        break;
      case 'queryCompleted':
        await service.respondQueryTaskCompleted(outcome.request);
        break;
    }
  }

  async #complete(
    request: CompletedRequest,
    { workflowExecution, startedEventId }: WorkflowTask,
    taskQueue: string,
  ): Promise<void> {
    const { service, worker } = this.#options;
    const runId = workflowExecution?.runId ?? '';
    const asked = askEagerly(worker, request.commands ?? []);
    const isHeld = worker.heldUpTo(runId) !== undefined && !this.#stop.signal.aborted;
    const sticky = {
      workerTaskQueue: {
        name: this.#stickyOf(taskQueue),
        kind: TASK_QUEUE_KIND_STICKY,
        normalName: taskQueue,
      },
      scheduleToStartTimeout: durationOf(stickyMs),
    };
    let granted: readonly ActivityTask[] = [];
    try {
      const reply = await service.respondWorkflowTaskCompleted({
        ...request,
        commands: asked.commands,
        returnNewWorkflowTask: isHeld,
        ...(isHeld && { stickyAttributes: sticky }),
      });
      granted = reply.activityTasks ?? [];
      const to = numberOf(reply.resetHistoryEventId);
      if (to > 0) worker.rewind(runId, numberOf(startedEventId), to);
      if (reply.workflowTask) this.#driveNext(reply.workflowTask, taskQueue);
    } finally {
      startGranted(worker, asked.slots, granted);
    }
  }

  /** One that came with an answer, and with no poll whose loop would tell that it failed. */
  #driveNext(task: WorkflowTask, taskQueue: string): void {
    this.#drive(task, taskQueue).catch((error: unknown) => {
      const runId = task.workflowExecution?.runId;
      this.#options.logger.warn('A workflow task failed; it is sent again', { runId, error });
    });
  }

  async #pollStep(taskQueue: string): Promise<void> {
    const { service, worker, clock } = this.#options;
    const waiting = (): number => this.#stepPolls.get(taskQueue) ?? 0;
    if (!(await this.#room(() => worker.freeStepSlots(taskQueue) - waiting()))) return;
    this.#stepPolls.set(taskQueue, waiting() + 1);
    let task: ActivityTask;
    try {
      task = (await service.pollActivityTaskQueue(
        {
          namespace: worker.namespace,
          identity: worker.identity,
          taskQueue: { name: taskQueue, kind: TASK_QUEUE_KIND_NORMAL },
          ...this.#version(),
        },
        { deadline: clock.now() + pollDeadlineMs, signal: this.#stop.signal },
      )) as ActivityTask;
    } finally {
      this.#stepPolls.set(taskQueue, waiting() - 1);
    }
    if (!task.taskToken?.length) return;
    // Polls of several queues may bring more than there is room for; what came waits here.
    while (await this.#room(() => worker.freeStepSlots(taskQueue))) {
      const slot = worker.reserveStep(taskQueue, task.activityType?.name ?? '');
      if (!slot) continue;
      worker.startStep(slot, task);
      return;
    }
  }
}
