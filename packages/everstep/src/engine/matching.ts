/**
 * Brings the rows of task queues to whoever asks for work: workers of this process, and calls that poll.
 *
 * A row is claimed, the claim keeps processes apart, and the commit that starts its task uses it up; so a row is
 * never lost with a process, and never counts twice. Claims are asked for only when there is room and a reason
 * (a row of this process's commits, a ring, a sweep), so an idle queue costs nothing.
 */
import type { Clock, Timer } from '../service/clock.ts';
import type { LocalWorker } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { Store, TaskKind, TaskRow } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { HandOver, RowOutcome } from './hand-over.ts';
import type { Quarantine } from './quarantine.ts';
import type { Poller, PollRequest, Polls, QueryTask } from './poller.ts';
import { ratePerSecondDefault, SeenPollers, type SeenPoller } from './seen-pollers.ts';
import type { LiveRun } from './unit.ts';

/** Rows of one claim at most, and of those that a look may find nobody for before it stops. */
const claimMax = 100;
/** Between two polls of one worker there is none. */
const polledMs = 60_000;
/** WT-6: a sticky queue that nobody has polled for so long has lost its worker. */
const stickyPolledMs = 10_000;
/** After a store has failed. */
const retryMs = 1_000;

interface Queue extends Omit<PollRequest, 'identity' | 'sticky' | 'ratePerSecond'> {
  readonly workers: LocalWorker[];
  readonly pollers: Poller[];
  /** Of one worker, for the runs it holds. */
  sticky: boolean;
  /** There may be unclaimed rows. */
  mayHaveRows: boolean;
  pumping: boolean;
  /** A reason to look again came while the queue was looked at. */
  lookAgain: boolean;
  /** Looks again where looking failed. */
  later: Timer | undefined;
  /** Rows claimed for local workers and not yet started. */
  taking: number;
  lastPollAt: number;
  readonly seen: SeenPollers;
}

export interface MatchingOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly handOver: HandOver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly quarantine: Quarantine;
  readonly processId: string;
}

export function queueKey(namespaceId: string, kind: TaskKind, taskQueue: string): string {
  return `${namespaceId}/${kind}/${taskQueue}`;
}

/** Polls take whatever there is; workers of this process say what they know. */
function knownTypes(queue: Queue): { readonly types?: readonly string[] } {
  if (queue.kind === 'activity' || queue.pollers.length > 0) return {};
  return { types: queue.workers.flatMap((worker) => worker.workflowTypes(queue.taskQueue)) };
}

export class Matching implements Polls {
  readonly #options: MatchingOptions;
  readonly #queues = new Map<string, Queue>();
  /** Calls that wait, with those that are being given a task. */
  readonly #pollers = new Set<Poller>();
  #stopped = false;
  /** A call failed by which rows may have been claimed, or not given back: none may stay claimed for nobody. */
  #claimsUncertain = false;
  #looksAtEndOfTurn = false;

  constructor(options: MatchingOptions) {
    this.#options = options;
  }

  /** Keys of the queues somebody of this process polls, or did until a moment ago. */
  polled(): readonly string[] {
    const keys: string[] = [];
    for (const [key, queue] of this.#queues) if (this.#isPolled(queue)) keys.push(key);
    return keys;
  }

  isPolled(namespaceId: string, kind: TaskKind, taskQueue: string): boolean {
    const queue = this.#queues.get(queueKey(namespaceId, kind, taskQueue));
    return queue !== undefined && this.#isPolled(queue);
  }

  #isPolled({ workers, pollers, sticky, lastPollAt }: Queue): boolean {
    if (workers.length > 0 || pollers.length > 0) return true;
    return this.#options.clock.now() - lastPollAt < (sticky ? stickyPolledMs : polledMs);
  }

  /** A worker names this queue as its own: it polls it, or is about to. */
  stickyNamed(namespaceId: string, taskQueue: string): void {
    const queue = this.#queue(namespaceId, 'workflow', taskQueue);
    queue.sticky = true;
    queue.lastPollAt = this.#options.clock.now();
  }

  /** Sticky queues that were polled here and are no more; each is told once. */
  leftSticky(): readonly { readonly namespaceId: string; readonly taskQueue: string }[] {
    const left: Queue[] = [];
    for (const [key, queue] of this.#queues) {
      if (!queue.sticky || queue.pumping || this.#isPolled(queue)) continue;
      this.#queues.delete(key);
      left.push(queue);
    }
    return left;
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
    if (queue) this.#look(queue);
  }

  /** Another process may have. */
  look(): void {
    for (const queue of this.#queues.values()) this.#look(queue);
  }

  /** Whether steps may wait in that queue, as far as this process has seen. */
  hasSteps(namespaceId: string, taskQueue: string): boolean {
    return this.#queues.get(queueKey(namespaceId, 'activity', taskQueue))?.mayHaveRows === true;
  }

  /**
   * A worker has room. The queues get what of it is left at the end of the turn: the step that follows the one that
   * made the room is handed over before, and so a run keeps its place without a row for each step.
   */
  capacityChanged(): void {
    if (this.#looksAtEndOfTurn) return;
    this.#looksAtEndOfTurn = true;
    this.#options.clock.endOfTurn(() => {
      this.#looksAtEndOfTurn = false;
      for (const queue of this.#queues.values()) if (queue.mayHaveRows) this.#look(queue);
    });
  }

  /** Waits for work until the signal; the poller's `take` is called at most until it answers true. */
  poll(poller: Poller, signal: AbortSignal): void {
    if (signal.aborted) return;
    const queue = this.#queue(poller.namespaceId, poller.kind, poller.taskQueue);
    const at = this.#options.clock.now();
    queue.lastPollAt = at;
    const { identity, ratePerSecond = ratePerSecondDefault } = poller;
    queue.seen.note({ identity, at, ratePerSecond });
    if (poller.sticky === true) queue.sticky = true;
    queue.pollers.push(poller);
    signal.addEventListener('abort', () => {
      this.#leave(queue, poller);
    });
    this.#pollers.add(poller);
    this.#look(queue);
  }

  /** Gives a query to a waiting poll of that queue. */
  offerQuery(namespaceId: string, taskQueue: string, query: QueryTask): boolean {
    const queue = this.#queues.get(queueKey(namespaceId, 'workflow', taskQueue));
    const poller = queue?.pollers.shift();
    if (!poller?.takeQuery) return false;
    this.#pollers.delete(poller);
    poller.takeQuery(query);
    return true;
  }

  takePoller(namespaceId: string, kind: TaskKind, taskQueue: string): Poller | undefined {
    const queue = this.#queues.get(queueKey(namespaceId, kind, taskQueue));
    if (!queue || this.#stopped || queue.mayHaveRows || queue.pumping) return undefined;
    const poller = queue.pollers.shift();
    poller?.hold();
    return poller;
  }

  answered(poller: Poller): void {
    this.#pollers.delete(poller);
  }

  returnPoller(poller: Poller): void {
    poller.letGo();
    if (!this.#pollers.has(poller)) return;
    const queue = this.#queue(poller.namespaceId, poller.kind, poller.taskQueue);
    queue.pollers.unshift(poller);
    this.#look(queue);
  }

  /** Workers of this process, and who has polled of late. */
  pollersOf(namespaceId: string, kind: TaskKind, taskQueue: string): readonly SeenPoller[] {
    const queue = this.#queues.get(queueKey(namespaceId, kind, taskQueue));
    if (!queue) return [];
    const now = this.#options.clock.now();
    const ratePerSecond = ratePerSecondDefault;
    const workers = queue.workers.map(({ identity }) => ({ identity, at: now, ratePerSecond }));
    return [...workers, ...queue.seen.list(now)];
  }

  #attach(worker: LocalWorker, namespaceId: string, kind: TaskKind, taskQueue: string): void {
    const queue = this.#queue(namespaceId, kind, taskQueue);
    queue.workers.push(worker);
    this.#look(queue);
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
        sticky: false,
        mayHaveRows: true,
        pumping: false,
        lookAgain: false,
        later: undefined,
        taking: 0,
        lastPollAt: 0,
        seen: new SeenPollers(),
      };
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #leave(queue: Queue, poller: Poller): void {
    const index = queue.pollers.indexOf(poller);
    if (index >= 0) queue.pollers.splice(index, 1);
    this.#pollers.delete(poller);
    // Until now it waited for work there.
    queue.lastPollAt = this.#options.clock.now();
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

  #look(queue: Queue): void {
    queue.mayHaveRows = true;
    if (queue.pumping) queue.lookAgain = true;
    else this.#pump(queue);
  }

  #pump(queue: Queue): void {
    if (queue.pumping || this.#stopped || !queue.mayHaveRows || this.#room(queue) <= 0) return;
    queue.pumping = true;
    queue.lookAgain = false;
    this.#claimWhileThereIsRoom(queue).then(
      (outcome) => {
        queue.pumping = false;
        if (outcome === 'failed') this.#lookLater(queue);
        // A row may have come since. One that nobody has room for waits for a reason to look again.
        else if (outcome === 'used' || queue.lookAgain) this.#pump(queue);
      },
      (error: unknown) => {
        queue.pumping = false;
        this.#claimsUncertain = true;
        this.#options.logger.error('A task queue could not be read; trying again', {
          taskQueue: queue.taskQueue,
          error,
        });
        this.#lookLater(queue);
      },
    );
  }

  #lookLater(queue: Queue): void {
    queue.mayHaveRows = true;
    queue.later ??= this.#options.clock.setTimer(retryMs, () => {
      queue.later = undefined;
      this.#look(queue);
    });
  }

  /** The worst that became of a row. What is not used is given back at the end, so that it hides nothing behind it. */
  async #claimWhileThereIsRoom(queue: Queue): Promise<RowOutcome> {
    const { store, processId } = this.#options;
    const unused: number[] = [];
    let worst: RowOutcome = 'used';
    let evenAlone = false;
    await this.#giveBackUncertain();
    try {
      while (!this.#stopped && queue.mayHaveRows && unused.length < claimMax) {
        const limit = Math.min(this.#room(queue), claimMax);
        if (limit <= 0) break;
        queue.mayHaveRows = false;
        const rows = await store.tasks.claim({
          namespaceId: queue.namespaceId,
          kind: queue.kind,
          taskQueue: queue.taskQueue,
          processId,
          limit,
          ...knownTypes(queue),
          evenAlone,
        });
        if (rows.length === limit) queue.mayHaveRows = true;
        if (rows.length === 0) break;
        queue.taking += rows.length;
        // Taken up together, so that their starts share a commit; the next claim waits for those commits, which keeps
        // the claimed and unstarted few.
        const outcomes = await Promise.all(rows.map((row) => this.#take(queue, row)));
        for (const [index, row] of rows.entries()) {
          const outcome = outcomes[index] ?? 'used';
          if (outcome === 'used') continue;
          evenAlone = true;
          if (outcome === 'quarantined') continue;
          unused.push(row.taskId);
          if (worst !== 'failed') worst = outcome;
        }
        if (worst === 'failed') break;
      }
    } finally {
      if (unused.length > 0) {
        queue.mayHaveRows = true;
        await store.tasks.release({ taskIds: unused });
      }
    }
    return worst;
  }

  /** Rows that are being taken just now are given back with the others; the commits that use them decide. */
  async #giveBackUncertain(): Promise<void> {
    if (!this.#claimsUncertain) return;
    this.#claimsUncertain = false;
    try {
      await this.#options.store.tasks.releaseAll({ processId: this.#options.processId });
    } catch (error) {
      this.#claimsUncertain = true;
      throw error;
    }
  }

  async #take(queue: Queue, row: TaskRow): Promise<RowOutcome | 'quarantined'> {
    const { executor, store, handOver, logger, quarantine } = this.#options;
    let counted = true;
    const uncount = (): void => {
      if (counted) queue.taking -= 1;
      counted = false;
    };
    try {
      const run = await executor.locateByRef(row.ref, row.key.runId);
      if (!run) {
        await store.tasks.delete({ taskIds: [row.taskId] });
        return 'used';
      }
      const poller = queue.pollers.shift();
      uncount();
      if (poller) {
        await this.#give(queue, poller, row, run);
        return 'used';
      }
      const worker = queue.workers.find((candidate) =>
        queue.kind === 'workflow'
          ? candidate.acceptsWorkflowTask(row.normalTaskQueue || row.taskQueue, row.type)
          : candidate.freeStepSlots(row.taskQueue) > 0,
      );
      return worker ? await handOver.takeRow(worker, run, row) : 'noRoom';
    } catch (error) {
      // Its row stays claimed by this process, so that it hides no other row.
      if (quarantine.takes(error)) return 'quarantined';
      logger.error('A task could not be taken from its queue; trying again', {
        ...row.key,
        taskQueue: row.taskQueue,
        error,
      });
      return 'failed';
    } finally {
      uncount();
    }
  }

  /** A call that was given nothing waits on, unless it has ended meanwhile. */
  async #give(queue: Queue, poller: Poller, row: TaskRow, run: LiveRun): Promise<void> {
    let given = false;
    try {
      given = await poller.take(row, run);
    } finally {
      if (given) this.#pollers.delete(poller);
      else if (this.#pollers.has(poller)) queue.pollers.unshift(poller);
    }
  }
}
