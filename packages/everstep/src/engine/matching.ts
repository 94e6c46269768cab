/**
 * Brings the rows of task queues to whoever asks for work: workers of this process, and calls that poll.
 *
 * A row is claimed, the claim keeps processes apart, and the commit that starts its task uses it up; so a row is
 * never lost with a process, and never counts twice. Claims are asked for only when there is room and a reason
 * (a row of this process's commits, a ring, a sweep), so an idle queue costs nothing.
 */
import type { Clock } from '../service/clock.ts';
import type { LocalWorker } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { Store, TaskKind, TaskRow } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { HandOver } from './hand-over.ts';
import type { LiveRun } from './unit.ts';

/** Rows of one claim at most. */
const claimMax = 100;

export interface PollRequest {
  readonly namespaceId: string;
  readonly kind: TaskKind;
  readonly taskQueue: string;
  readonly identity: string;
}

/** Work for a poll: a row whose run is loaded; the verb starts it and answers. False: it is gone, give me another. */
export interface Poller extends PollRequest {
  readonly take: (row: TaskRow, run: LiveRun) => Promise<boolean>;
  /** A query that only this queue's pollers can answer (workflow queues). */
  readonly takeQuery?: (query: QueryTask) => void;
}

export interface QueryTask {
  readonly queryId: string;
  readonly run: LiveRun;
  readonly message: unknown;
}

interface Queue extends Omit<PollRequest, 'identity'> {
  readonly workers: LocalWorker[];
  readonly pollers: Poller[];
  /** There may be unclaimed rows. */
  mayHaveRows: boolean;
  pumping: boolean;
  /** Rows claimed for local workers and not yet started. */
  taking: number;
  lastPollAt: number;
  lastIdentity: string;
}

export interface MatchingOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly handOver: HandOver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly processId: string;
}

export function queueKey(namespaceId: string, kind: TaskKind, taskQueue: string): string {
  return `${namespaceId}/${kind}/${taskQueue}`;
}

export class Matching {
  readonly #options: MatchingOptions;
  readonly #queues = new Map<string, Queue>();
  #stopped = false;

  constructor(options: MatchingOptions) {
    this.#options = options;
  }

  /** Keys of the queues somebody of this process polls. */
  polled(): readonly string[] {
    const keys: string[] = [];
    for (const [key, queue] of this.#queues) {
      if (queue.workers.length > 0 || queue.pollers.length > 0) keys.push(key);
    }
    return keys;
  }

  attach(worker: LocalWorker, namespaceId: string): void {
    for (const taskQueue of worker.workflowTaskQueues)
      this.#attach(worker, namespaceId, 'workflow', taskQueue);
    for (const taskQueue of worker.activityTaskQueues)
      this.#attach(worker, namespaceId, 'activity', taskQueue);
  }

  detach(worker: LocalWorker): void {
    for (const queue of this.#queues.values()) {
      const index = queue.workers.indexOf(worker);
      if (index >= 0) queue.workers.splice(index, 1);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** This process has committed a row. */
  rowAdded(namespaceId: string, kind: TaskKind, taskQueue: string): void {
    const queue = this.#queues.get(queueKey(namespaceId, kind, taskQueue));
    if (!queue) return;
    queue.mayHaveRows = true;
    this.#pump(queue);
  }

  /** Another process may have. */
  look(): void {
    for (const queue of this.#queues.values()) {
      queue.mayHaveRows = true;
      this.#pump(queue);
    }
  }

  capacityChanged(): void {
    for (const queue of this.#queues.values()) if (queue.mayHaveRows) this.#pump(queue);
  }

  /** Waits for work until the signal; the poller's `take` is called at most until it answers true. */
  poll(poller: Poller, signal: AbortSignal): void {
    const queue = this.#queue(poller.namespaceId, poller.kind, poller.taskQueue);
    queue.lastPollAt = this.#options.clock.now();
    queue.lastIdentity = poller.identity;
    queue.pollers.push(poller);
    signal.addEventListener('abort', () => {
      this.#leave(queue, poller);
    });
    queue.mayHaveRows = true;
    this.#pump(queue);
  }

  /** Gives a query to a waiting poll of that queue. */
  offerQuery(namespaceId: string, taskQueue: string, query: QueryTask): boolean {
    const queue = this.#queues.get(queueKey(namespaceId, 'workflow', taskQueue));
    const poller = queue?.pollers.shift();
    if (!poller?.takeQuery) return false;
    poller.takeQuery(query);
    return true;
  }

  describe(
    namespaceId: string,
    kind: TaskKind,
    taskQueue: string,
  ): { lastPollAt: number; identity: string; polled: boolean } {
    const queue = this.#queues.get(queueKey(namespaceId, kind, taskQueue));
    const worker = queue?.workers[0];
    return {
      lastPollAt: worker ? this.#options.clock.now() : (queue?.lastPollAt ?? 0),
      identity: worker?.identity ?? queue?.lastIdentity ?? '',
      polled: queue !== undefined && (queue.workers.length > 0 || queue.pollers.length > 0),
    };
  }

  #attach(worker: LocalWorker, namespaceId: string, kind: TaskKind, taskQueue: string): void {
    const queue = this.#queue(namespaceId, kind, taskQueue);
    queue.workers.push(worker);
    queue.mayHaveRows = true;
    this.#pump(queue);
  }

  #queue(namespaceId: string, kind: TaskKind, taskQueue: string): Queue {
    const key = queueKey(namespaceId, kind, taskQueue);
    let queue = this.#queues.get(key);
    if (!queue) {
      queue = {
        namespaceId,
        kind,
        taskQueue,
        workers: [],
        pollers: [],
        mayHaveRows: true,
        pumping: false,
        taking: 0,
        lastPollAt: 0,
        lastIdentity: '',
      };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #leave(queue: Queue, poller: Poller): void {
    const index = queue.pollers.indexOf(poller);
    if (index >= 0) queue.pollers.splice(index, 1);
    this.#forgetIfUnused(queue);
  }

  /** Sticky queues come and go with their workers. */
  #forgetIfUnused(queue: Queue): void {
    if (queue.workers.length > 0 || queue.pollers.length > 0 || queue.pumping) return;
    if (this.#options.clock.now() - queue.lastPollAt < 300_000) return;
    this.#queues.delete(queueKey(queue.namespaceId, queue.kind, queue.taskQueue));
  }

  #room(queue: Queue): number {
    let room = queue.pollers.length;
    for (const worker of queue.workers) {
      room +=
        queue.kind === 'workflow'
          ? worker.freeWorkflowTaskSlots()
          : worker.freeStepSlots(queue.taskQueue);
    }
    return room - queue.taking;
  }

  #pump(queue: Queue): void {
    if (queue.pumping || this.#stopped || !queue.mayHaveRows || this.#room(queue) <= 0) return;
    queue.pumping = true;
    this.#claimWhileThereIsRoom(queue).then(
      () => {
        queue.pumping = false;
        // A row may have come between the last look and now.
        this.#pump(queue);
      },
      (error: unknown) => {
        queue.pumping = false;
        this.#options.logger.error('A task queue could not be read', {
          taskQueue: queue.taskQueue,
          error,
        });
      },
    );
  }

  async #claimWhileThereIsRoom(queue: Queue): Promise<void> {
    const { store, processId } = this.#options;
    while (!this.#stopped && queue.mayHaveRows) {
      const limit = Math.min(this.#room(queue), claimMax);
      if (limit <= 0) return;
      queue.mayHaveRows = false;
      const rows = await store.tasks.claim({
        namespaceId: queue.namespaceId,
        kind: queue.kind,
        taskQueue: queue.taskQueue,
        processId,
        limit,
      });
      if (rows.length === limit) queue.mayHaveRows = true;
      if (rows.length === 0) return;
      queue.taking += rows.length;
      // Taken up together, so that their starts share a commit; the next claim waits for those commits, which keeps
      // the claimed and unstarted few.
      const taken = await Promise.all(rows.map((row) => this.#take(queue, row)));
      const unused = rows.filter((_row, index) => taken[index] === false);
      if (unused.length > 0) {
        await store.tasks.release({ taskIds: unused.map((row) => row.taskId) });
        // Wait for capacityChanged instead of asking again at once.
        queue.mayHaveRows = true;
        return;
      }
    }
  }

  /** True when the row is used up or void. */
  async #take(queue: Queue, row: TaskRow): Promise<boolean> {
    const { executor, store, handOver, logger } = this.#options;
    let counted = true;
    const uncount = (): void => {
      if (counted) queue.taking -= 1;
      counted = false;
    };
    try {
      const run = await executor.locateByRef(row.ref, row.key.runId);
      if (!run) {
        await store.tasks.delete({ taskIds: [row.taskId] });
        return true;
      }
      const poller = queue.pollers.shift();
      uncount();
      if (poller) {
        if (!(await poller.take(row, run))) {
          queue.pollers.unshift(poller);
        }
        return true;
      }
      const worker = queue.workers.find((candidate) =>
        queue.kind === 'workflow'
          ? candidate.acceptsWorkflowTask(row.normalTaskQueue || row.taskQueue, row.type)
          : candidate.freeStepSlots(row.taskQueue) > 0,
      );
      return worker ? await handOver.takeRow(worker, run, row) : false;
    } catch (error) {
      logger.error('A task could not be taken from its queue', {
        ...row.key,
        taskQueue: row.taskQueue,
        error,
      });
      return false;
    } finally {
      uncount();
    }
  }
}
