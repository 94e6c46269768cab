/**
 * The embedded engine: Temporal's WorkflowService over a store. It joins the pure core to the world: loads runs,
 * applies inputs, commits, and brings work to workers.
 *
 * Many engines may share a store; none is special, and the store's version checks decide.
 * Read next: executor.ts (how an input becomes a commit), hand-over.ts, matching.ts, wake-ups.ts, and verbs/ for
 * one file a call of the service.
 */
import { defaultLimits } from '../core/limits.ts';
import type { Limits } from '../core/limits.ts';
import type { TransitionFunction } from '../core/transition.ts';
import type { Clock, Random, Timer } from '../service/clock.ts';
import type { LocalWorker, LocalWorkerHost, LocalWorkerSupport } from '../service/local-worker.ts';
import type { Logger } from '../service/logger.ts';
import type { OperatorService } from '../service/operator-service.ts';
import { ServiceError, storeFailedForGood } from '../service/service-error.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import type { Glance, RunRef, Store } from '../store/store.ts';
import { stepBatch } from './batch-delivery.ts';
import type { EngineContext } from './context.ts';
import { dispatchWaitingQueries, offerHere } from './direct-query.ts';
import { defaultEngineLimits } from './engine-limits.ts';
import type { EngineLimits } from './engine-limits.ts';
import { Executor } from './executor.ts';
import { GroupCommit } from './group-commit.ts';
import type { CommittedRun } from './group-commit.ts';
import { HandOver } from './hand-over.ts';
import { HistoryReader } from './history-reader.ts';
import { JoinedCalls } from './joined-calls.ts';
import { LiveRuns } from './live-runs.ts';
import { decodeMail, encodeMail } from './mail.ts';
import type { Mail } from './mail.ts';
import { Matching, queueKey } from './matching.ts';
import { Namespaces } from './namespaces.ts';
import { OutboxDelivery } from './outbox-delivery.ts';
import { Processes } from './processes.ts';
import { Quarantine } from './quarantine.ts';
import { QueryBoard } from './query-board.ts';
import { RemoteQueries } from './remote-queries.ts';
import { Retention } from './retention.ts';
import { Starts } from './starts.ts';
import { StoreOutage } from './store-outage.ts';
import { TaskRates } from './task-rates.ts';
import { hearOfWorkers } from './told-workers.ts';
import { operatorOf, serviceOf } from './verbs.ts';
import { Waiters } from './waiters.ts';
import { endStarts, type EndStartsOptions } from './uncertain-starts.ts';
import { WakeUps } from './wake-ups.ts';
import { WorkerRegistry } from './worker-registry.ts';

const tickMs = 1_000;
/** A look around that takes longer is not waited for. */
const tickPatienceMs = 5 * tickMs;
/** Whoever asked from afar gives up or asks again by itself. */
const neverAborted = new AbortController().signal;
/** A ring may come from a process that was not there before; who is there is looked up again when it is that old. */
const processesMs = 200;
/** A run whose turn it is for another process is taken over when that is so late. */
const leaveToOthersMs = 300;

export interface EngineOptions {
  /** Opened by whoever made it, and closed by them. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Of the machine: pids mean something only between processes with the same one. */
  readonly hostId: string;
  readonly pid: number;
  readonly isPidAlive: (pid: number) => boolean;
  /** Made when it does not exist, with `retentionMs` as the time closed runs are kept. */
  readonly defaultNamespace: string;
  readonly retentionMs: number;
  /** False for a process that only submits and reads: it leaves deadlines to those that work, unless none does. */
  readonly acts: boolean;
  readonly limits?: Partial<EngineLimits>;
  readonly coreLimits?: Partial<Limits>;
  /** The core's own by default. */
  readonly transition?: TransitionFunction;
}

export interface Engine {
  readonly processId: string;
  readonly service: WorkflowService & LocalWorkerSupport;
  readonly operator: OperatorService;
  start(): Promise<void>;
  /** Writes what is under way, ends the calls that wait, and leaves the store. Workers have been drained before. */
  stop(): Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  return new EmbeddedEngine(options);
}

class EmbeddedEngine implements Engine {
  readonly processId: string;
  readonly service: WorkflowService & LocalWorkerSupport;
  readonly operator: OperatorService;
  readonly #options: EngineOptions;
  readonly #context: EngineContext;
  readonly #groupCommit: GroupCommit;
  readonly #wakeUps: WakeUps;
  readonly #outbox: OutboxDelivery;
  readonly #retention: Retention;
  readonly #outage: StoreOutage;
  #tick: Timer | undefined;
  #stopListening: (() => void) | undefined;
  #stopped = false;
  #failed = false;
  #tickingSince = -Infinity;
  #looking = false;
  #lookAgain = false;
  #background: Promise<void> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#outage = new StoreOutage(options.logger);
    this.#options = { ...options, logger: this.#outage.logger };
    const { store, clock, random, logger } = this.#options;
    this.processId = random.uuid();
    const { processId } = this;
    const coreLimits: Limits = { ...defaultLimits, ...options.coreLimits };
    const limits: EngineLimits = { ...defaultEngineLimits, ...options.limits };
    const namespaces = new Namespaces(store, random, options.retentionMs);
    const live = new LiveRuns(limits.liveRunsMax);
    this.#groupCommit = new GroupCommit({
      store,
      clock,
      logger,
      processId,
      retentionMs: (namespaceId) => namespaces.retentionMs(namespaceId),
      onWritten: (committed) => {
        this.#written(committed);
      },
      onFailed: () => this.#noteFailure(),
      onUncertain: (starts) => {
        for (const one of starts) endStarts(ending, one);
      },
    });
    const executor = new Executor({
      store,
      clock,
      random,
      limits: coreLimits,
      registeredAttributes: (namespaceId) => namespaces.registeredAttributes(namespaceId),
      live,
      groupCommit: this.#groupCommit,
      ...(options.transition && { transition: options.transition }),
    });
    const history = new HistoryReader(store);
    const queries = new QueryBoard(limits.waitingQueriesMax, options.random);
    const quarantine = new Quarantine(logger);
    const ending: EndStartsOptions = {
      lose: ({ key, requestIds }) =>
        executor.submit(key, { kind: 'processLost', processId, requestIds }),
      clock,
      quarantine,
      isOver: () => this.#stopped || store.failure !== undefined,
      inBackground: (what, work) => {
        this.#inBackground(what, work);
      },
    };
    const handOver = new HandOver({
      executor,
      history,
      queries,
      clock,
      logger,
      quarantine,
      processId,
      registeredAttributes: (namespaceId) => namespaces.registeredAttributes(namespaceId),
    });
    executor.dispatcher = handOver;
    const starts = new Starts(executor);
    const matching = new Matching({
      store,
      executor,
      handOver,
      clock,
      logger,
      quarantine,
      processId,
    });
    executor.stickyPolled = (namespaceId, taskQueue) =>
      matching.isPolled(namespaceId, 'workflow', taskQueue) ||
      processes.polls(queueKey(namespaceId, 'workflow', taskQueue));
    handOver.hasRows = (namespaceId, taskQueue) => matching.hasSteps(namespaceId, taskQueue);
    handOver.polls = matching;
    const processes = new Processes({
      store,
      executor,
      clock,
      logger,
      quarantine,
      processId,
      hostId: options.hostId,
      pid: options.pid,
      isPidAlive: options.isPidAlive,
      polled: () => matching.polled(),
    });
    this.#context = {
      store,
      clock,
      random,
      logger,
      coreLimits,
      limits,
      processId,
      executor,
      starts,
      history,
      joinedCalls: new JoinedCalls({
        retentionMs: (namespaceId) => namespaces.retentionMs(namespaceId),
        registeredAttributes: (namespaceId) => namespaces.registeredAttributes(namespaceId),
        ...(options.transition && { transition: options.transition }),
      }),
      namespaces,
      matching,
      handOver,
      queries,
      remoteQueries: new RemoteQueries(random, processId),
      waiters: new Waiters(store),
      processes,
      workerRegistry: new WorkerRegistry({ clock, limits }),
      taskRates: new TaskRates(clock),
      emptyOutbox: (run) => this.#outbox.empty(run),
      noteFailure: () => this.#noteFailure(),
    };
    this.#wakeUps = new WakeUps({
      store,
      executor,
      clock,
      logger,
      quarantine,
      mine: (ref, overdueMs) => this.#isMine(ref, overdueMs),
    });
    this.#outbox = new OutboxDelivery({
      store,
      executor,
      starts,
      history,
      namespaces,
      clock,
      random,
      logger,
      quarantine,
      stepBatch: (run, step, outboxId) => stepBatch(this.#context, run, step, outboxId),
    });
    this.#retention = new Retention({ store, clock, logger });
    this.operator = operatorOf(this.#context);
    this.service = Object.assign(serviceOf(this.#context), {
      attachWorker: (worker: LocalWorker) => this.#attachWorker(worker),
    });
  }

  async start(): Promise<void> {
    const { store, defaultNamespace } = this.#options;
    await this.#context.namespaces.ensure(defaultNamespace);
    await this.#context.processes.start();
    this.#stopListening = store.hints.listen(() => {
      this.#look();
    });
    this.#wakeUps.start();
    this.#setTick();
    // The others learn at once that they are no longer alone.
    store.hints.ring();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tick?.cancel();
    this.#stopListening?.();
    this.#context.matching.stop();
    this.#outbox.stop();
    await this.#wakeUps.stop();
    await this.#groupCommit.idle();
    await this.#background;
    // Whoever waits for what was written just now has been woken.
    this.#context.waiters.stop();
    // Nothing can be handed back to a store that has failed: its next user finds this process gone.
    if (!this.#noteFailure()) await this.#context.processes.handBack();
    await this.#groupCommit.close();
    if (!this.#failed) await this.#context.processes.leave();
  }

  /** A store that cannot be used any more is said so once, and nothing is begun any more. */
  #noteFailure(): boolean {
    const { store, logger } = this.#options;
    const { failure } = store;
    if (this.#failed || failure === undefined) return this.#failed;
    this.#failed = true;
    logger.error(
      'The store failed for good: this process accepts nothing and finishes nothing more. Stop it, mend what the error names, and start again',
      { error: failure },
    );
    if (this.#stopped) return true;
    this.#tick?.cancel();
    this.#stopListening?.();
    this.#context.matching.stop();
    this.#outbox.stop();
    void this.#wakeUps.stop();
    this.#context.waiters.stop(() => storeFailedForGood(failure));
    return true;
  }

  #attachWorker(worker: LocalWorker): LocalWorkerHost {
    const { namespaces, matching, handOver, processes } = this.#context;
    const namespace = namespaces.all().find((candidate) => candidate.name === worker.namespace);
    if (!namespace) {
      throw new ServiceError({
        code: 'NOT_FOUND',
        message: `Namespace ${worker.namespace} is not found.`,
        detail: { kind: 'namespaceNotFound', namespace: worker.namespace },
      });
    }
    handOver.attach(worker);
    matching.attach(worker, namespace.namespaceId);
    this.#inBackground('Announcing the polled queues', () => processes.announce(matching.polled()));
    return {
      capacityChanged: () => {
        matching.capacityChanged();
      },
      detach: () => {
        handOver.detach(worker);
        matching.detach(worker);
        if (!this.#stopped) {
          this.#inBackground('Announcing the polled queues', () =>
            processes.announce(matching.polled()),
          );
        }
      },
      handBack: async () => {
        await this.#groupCommit.idle();
        if (this.#noteFailure()) return;
        await processes.handBack();
        if (!this.#stopped) matching.look();
      },
    };
  }

  /** What a write means for those who wait: work, events, deadlines, other runs, other processes. */
  #written(committed: readonly CommittedRun[]): void {
    this.#outage.wrote();
    const { matching, waiters, handOver, processes, queries, taskRates } = this.#context;
    for (const { run, part, outboxIds } of committed) {
      if (run.ref !== undefined) waiters.committed(run, run.ref);
      const { columns } = part;
      if (columns) this.#wakeUps.note(columns.wakeAt);
      taskRates.committed(part);
      if (columns && columns.closeTime === 0) {
        for (const task of part.tasks)
          matching.rowAdded(run.key.namespaceId, task.kind, task.taskQueue);
      }
      for (const [index, message] of part.outbox.entries()) {
        const outboxId = outboxIds[index];
        if (outboxId !== undefined) this.#outbox.deliver(run, message, outboxId);
      }
      for (const interrupt of part.interrupts) {
        if (interrupt.processId === this.processId) handOver.interrupt(run.key.runId, interrupt);
      }
      if (queries.has(run.key.runId)) dispatchWaitingQueries(this.#context, run);
    }
    if (processes.others.length > 0) this.#options.store.hints.ring();
  }

  /** Another process rang, or a second has gone by and this was seen: there may be rows, mail, events. */
  #look(seen?: Glance): void {
    if (this.#stopped || this.#failed) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    this.#inBackground('Looking for what other processes wrote', async () => {
      let glance = seen;
      try {
        do {
          this.#lookAgain = false;
          const { processes, matching, waiters } = this.#context;
          glance ??=
            (await processes.lookIfOlderThan(processesMs))?.glance ?? (await processes.glance());
          if (glance?.hasTasks !== false) matching.look();
          await waiters.check();
          if (glance?.hasMail !== false) await this.#readMail();
          this.#wakeUps.note(await this.#wakeUps.nextWakeAt(glance?.nextWakeAt));
          glance = undefined;
        } while (this.#lookAgain && !this.#stopped);
      } finally {
        this.#looking = false;
      }
    });
  }

  async #readMail(): Promise<void> {
    const letters = await this.#options.store.mail.take({ processId: this.processId });
    for (const bytes of letters) this.#readLetter(decodeMail(bytes));
  }

  #readLetter(mail: Mail): void {
    switch (mail.kind) {
      case 'interrupt':
        this.#context.handOver.interrupt(mail.runId, mail);
        break;
      case 'queryAnswer':
        this.#context.remoteQueries.answeredByMail(mail);
        break;
      case 'workers':
        hearOfWorkers(this.#context.workerRegistry, mail);
        break;
      case 'query':
        this.#inBackground('Answering a query of another process', () => this.#answerQuery(mail));
    }
  }

  async #answerQuery(mail: Extract<Mail, { kind: 'query' }>): Promise<void> {
    const { namespaceId, workflowId, runId } = mail;
    const run = await this.#context.executor.locate({ namespaceId, workflowId, runId });
    const fresh = run && (await this.#context.executor.refresh(run));
    if (!fresh) return;
    const answer = await offerHere(
      this.#context,
      fresh,
      RemoteQueries.decodeQuery(mail),
      neverAborted,
    );
    if (!answer) return;
    await this.#options.store.mail.send({
      mail: [
        {
          processId: mail.replyTo,
          bytes: encodeMail(RemoteQueries.encodeAnswer(mail.queryId, answer)),
        },
      ],
    });
    this.#options.store.hints.ring();
  }

  #setTick(): void {
    if (this.#stopped || this.#failed) return;
    this.#tick = this.#options.clock.setTimer(tickMs, () => {
      // A store that does not answer is not asked the same every second.
      if (this.#options.clock.now() - this.#tickingSince > tickPatienceMs)
        this.#inBackground('The regular look around', () => this.#lookAround());
      this.#setTick();
    });
  }

  async #lookAround(): Promise<void> {
    this.#tickingSince = this.#options.clock.now();
    try {
      const { processes, matching, joinedCalls, namespaces } = this.#context;
      if (processes.announcesOther(matching.polled())) await processes.announce(matching.polled());
      const { hasOrHadOthers, glance } = await processes.look();
      // What a dead process had sent may have arrived after its death was noticed.
      if (hasOrHadOthers || joinedCalls.any || glance?.hasTasks) this.#look(glance);
      await this.#leaveSticky();
      // Another may have registered search attributes, which commands are checked against.
      if (hasOrHadOthers) await namespaces.loadUnlessMarked(glance?.namespacesMark);
      if (glance?.hasOverdue !== false) await this.#outbox.sweep();
      await this.#retention.sweep();
      this.#outage.looked();
    } finally {
      this.#tickingSince = -Infinity;
    }
  }

  /** WT-6: what lies in a sticky queue whose worker is gone goes to the normal queue. */
  async #leaveSticky(): Promise<void> {
    const { processes, matching } = this.#context;
    const { store } = this.#options;
    let moved = 0;
    for (const { namespaceId, taskQueue } of matching.leftSticky()) {
      if (processes.polls(queueKey(namespaceId, 'workflow', taskQueue))) continue;
      moved += await store.tasks.unstick({ namespaceId, taskQueue });
    }
    if (moved === 0) return;
    matching.look();
    store.hints.ring();
  }

  /** Spreads deadlines over the processes that work, by a hash of the run; any of them takes what is left. */
  #isMine(ref: RunRef, overdueMs: number): boolean {
    const working = this.#context.processes.others.filter((process) => process.queues.length > 0);
    if (working.length === 0 || overdueMs >= leaveToOthersMs) return true;
    if (!this.#options.acts) return false;
    const ids = working.map((process) => process.processId);
    ids.push(this.processId);
    ids.sort();
    return ids[ref % ids.length] === this.processId;
  }

  #inBackground(what: string, work: () => Promise<void>): void {
    const done = work().catch((error: unknown) => {
      if (this.#stopped || this.#noteFailure()) return;
      this.#options.logger.warn(`${what} failed; it is tried again`, { error });
    });
    this.#background = Promise.all([this.#background, done]).then(() => undefined);
  }
}
