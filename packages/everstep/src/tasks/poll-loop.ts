/**
 * The worker over the public calls, for a service that is not in this process (gateway, Temporal Server): polls,
 * hands to the same TaskWorker, responds. It polls for no more than it has room for.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../service/clock.ts';
import type {
  ActivityTask,
  LocalWorker,
  WorkflowTask,
  WorkflowTaskOutcome,
} from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import { statusOf, wait } from './step-response.ts';

export interface PollLoopOptions {
  readonly service: WorkflowService;
  readonly worker: LocalWorker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For each queue and kind. */
  readonly pollers: number;
}

/** What no repetition mends: unauthenticated, permission denied. */
const forGood: ReadonlySet<number> = new Set([7, 16]);
const delayMsMax = 10_000;
const pollMs = 60_000;
/** Longer than the service lets a poll wait. */
const pollDeadlineMs = pollMs + 10_000;
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
    for (const taskQueue of worker.workflowTaskQueues) {
      for (let index = 0; index < pollers; index += 1) {
        this.#keep(() => this.#pollWorkflowTask(taskQueue));
      }
    }
    for (const taskQueue of worker.activityTaskQueues) {
      for (let index = 0; index < pollers; index += 1) {
        this.#keep(() => this.#pollStep(taskQueue));
      }
    }
  }

  stop(): void {
    this.#stop.abort();
    this.roomChanged();
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

  async #pollWorkflowTask(taskQueue: string): Promise<void> {
    const { service, worker, clock } = this.#options;
    if (!(await this.#room(() => worker.freeWorkflowTaskSlots()))) return;
    const task = (await service.pollWorkflowTaskQueue(
      {
        namespace: worker.namespace,
        identity: worker.identity,
        taskQueue: { name: taskQueue, kind: 1 },
      },
      { deadline: clock.now() + pollDeadlineMs, signal: this.#stop.signal },
    )) as WorkflowTask;
    if (!task.taskToken?.length) return;
    this.#respond(await worker.driveWorkflowTask(task), task);
  }

  /** Not waited for: the next poll goes out meanwhile. */
  #respond(outcome: WorkflowTaskOutcome, task: WorkflowTask): void {
    const { service, worker, logger } = this.#options;
    const runId = task.workflowExecution?.runId ?? '';
    this.#sent(service, outcome).catch((error: unknown) => {
      // The history does not hold what the run thinks it holds.
      worker.evict(runId);
      logger.debug('A workflow task could not be answered', { runId, error });
    });
  }

  async #sent(service: WorkflowService, outcome: WorkflowTaskOutcome): Promise<void> {
    switch (outcome.kind) {
      case 'completed':
        await service.respondWorkflowTaskCompleted(outcome.request);
        break;
      case 'failed':
        await service.respondWorkflowTaskFailed(outcome.request);
        break;
      case 'queryCompleted':
        await service.respondQueryTaskCompleted(outcome.request);
        break;
    }
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
          taskQueue: { name: taskQueue, kind: 1 },
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
