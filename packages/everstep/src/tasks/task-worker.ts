/**
 * The worker of this process: it drives the runs of its tasks and runs their steps. In the process of an embedded
 * engine it is attached to it as a LocalWorker (decision 10); elsewhere poll-loop.ts feeds it through the public
 * calls. It holds no truth: a run that is forgotten is driven again from its history.
 *
 * Read next: run.ts (a run's code), running-step.ts (a step), step-slots.ts (how many at once).
 */
import type {
  ActivityTask,
  LocalWorker,
  LocalWorkerHost,
  StepInterrupt,
  StepSlot,
  WorkflowTask,
  WorkflowTaskOutcome,
} from '../service/local-worker.ts';
import { ActivityCall, activityUnknown } from './activity-call.ts';
import { isPromiseLike } from './coroutine.ts';
import { numberOf } from './int64.ts';
import type { HistoryEvent } from './journal.ts';
import type { LiveRun } from './live-run.ts';
import { PayloadEdge } from './payload-edge.ts';
import { PollLoop } from './poll-loop.ts';
import { RegisteredActivities } from './registered-activities.ts';
import { RunCache } from './run-cache.ts';
import { commandsOf, type Command, type CommandOptions } from './run-commands.ts';
import {
  continuesAt,
  executionOf,
  isWhole,
  joined,
  lastDrivenEventId,
  readHistory,
} from './run-history.ts';
import { RunningStep, type StepCall } from './running-step.ts';
import { StallWatch } from './stall-watch.ts';
import { persistently, stepFields, stepId } from './step-response.ts';
import { StepSlots } from './step-slots.ts';
import { StepTarget } from './step-target.ts';
import { stepUnknown, TaskCodeError } from './task-errors.ts';
import {
  completedOutcome,
  failedOutcome,
  queryOutcome,
  type Answerer,
} from './workflow-task-outcome.ts';
import { receiveUpdates } from './update-messages.ts';
import type { TaskWorkerOptions } from './task-worker-options.ts';
import { WorkerDefinitions } from './worker-definitions.ts';

/** How long stop() waits for the answers of steps that have ended. */
const answerMs = 5_000;
/** Decision 11: where the runtime itself says that a step is alive. */
const automaticHeartbeatMs = 10_000;

type Events = readonly HistoryEvent[];
type Later<T> = T | Promise<T>;

/** A workflow task that is being driven. */
interface Drive {
  readonly task: WorkflowTask;
  /** Its run was to be forgotten meanwhile, and so is what becomes of it here. */
  evicted: boolean;
}

export class TaskWorker implements LocalWorker {
  readonly namespace: string;
  readonly identity: string;
  readonly workflowTaskQueues: readonly string[];
  readonly activityTaskQueues: readonly string[];
  readonly #options: TaskWorkerOptions;
  readonly #definitions: WorkerDefinitions;
  readonly #activities: RegisteredActivities;
  readonly #stepQueues: ReadonlySet<string>;
  readonly #runs: RunCache;
  readonly #slots: StepSlots;
  readonly #target: StepTarget | undefined;
  readonly #stalls: StallWatch;
  readonly #edge: PayloadEdge;
  readonly #commandOptions: CommandOptions;
  readonly #answerer: Answerer;
  readonly #workflowTasksMax: number;
  /** Runs that are driven aside, to find a step's code. */
  readonly #loading = new Map<string, Promise<LiveRun>>();
  readonly #steps = new Map<string, RunningStep>();
  readonly #drives = new Set<Drive>();
  #refusedWorkflowTask = false;
  #stopping = false;
  #stopped = false;
  readonly #onStepGone = new Set<() => void>();
  #host: LocalWorkerHost | undefined;
  #pollLoop: PollLoop | undefined;
  #farewell: Promise<void> | undefined;

  constructor(options: TaskWorkerOptions) {
    const { tasks, clock, concurrency, dataConverter } = options;
    this.#options = options;
    this.namespace = options.namespace;
    this.identity = options.identity;
    const taskQueue = options.taskQueue ?? 'async-tasks';
    this.#definitions = new WorkerDefinitions(tasks, taskQueue, options);
    this.#activities = new RegisteredActivities(options.activities ?? [], taskQueue, dataConverter);
    const { workflowTaskQueues, stepQueues, limits } = this.#definitions;
    this.workflowTaskQueues = [...workflowTaskQueues];
    this.#stepQueues = new Set([...stepQueues, ...this.#activities.taskQueues]);
    this.activityTaskQueues = [...this.#stepQueues];
    this.#workflowTasksMax = concurrency?.workflowTasks ?? 1_000;
    this.#runs = new RunCache({ runsMax: options.liveRunsMax ?? 5000, clock });
    const stepsMax = concurrency?.steps ?? 100;
    this.#slots = new StepSlots({
      stepsMax: () => this.#target?.places ?? stepsMax,
      limits,
      clock,
      onRoom: () => this.#announceRoom(),
    });
    const { sampleLoad } = options;
    this.#target =
      concurrency?.target &&
      sampleLoad &&
      new StepTarget({
        target: concurrency.target,
        stepsMax,
        sampleLoad,
        taken: () => this.#slots.taken,
        clock,
        onRoom: () => this.#slots.announceRoom(),
      });
    this.#stalls = new StallWatch(clock);
    this.#edge = new PayloadEdge(dataConverter);
    this.#answerer = {
      namespace: options.namespace,
      identity: options.identity,
      buildId: options.buildId ?? '',
      converter: dataConverter,
      edge: this.#edge,
      logger: options.logger,
    };
    this.#commandOptions = {
      converter: dataConverter,
      automaticHeartbeatMs: options.local ? 0 : automaticHeartbeatMs,
      stepsApart: options.stepsApart,
    };
  }

  /** It failed for good: it takes no more work until the process starts again. */
  get failed(): boolean {
    return this.#pollLoop?.failed === true;
  }

  /** It takes no more work. */
  get draining(): boolean {
    return this.#stopping;
  }

  /** Workflow tasks and steps whose code runs just now. */
  get running(): number {
    return this.#drives.size + this.#steps.size;
  }

  /** Takes work from now on. Rejects when the namespace is unknown or the service is not to be reached. */
  async start(): Promise<void> {
    const { local, random, concurrency } = this.#options;
    if (this.#definitions.size === 0 && this.#activities.taskQueues.length === 0) return;
    this.#target?.start();
    if (local) {
      this.#host = local.attachWorker(this);
      return;
    }
    const pollers = concurrency?.pollers ?? 4;
    const instance = random.uuid();
    this.#pollLoop = new PollLoop({ ...this.#options, worker: this, pollers, instance });
    await this.#pollLoop.start();
  }

  /** Takes no more work; resolves when the running steps have ended, or after that long: they go on then. */
  async drain(graceMs: number): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#host?.detach();
      this.#farewell = this.#pollLoop?.stop();
    }
    await this.#goneWithin(graceMs, () => true);
  }

  /**
   * Takes no more work; resolves when the running steps have ended, or are handed back after that long, with those of
   * every other worker on the engine of this process. A step that has ended by then is not handed back: its answer is
   * waited for a little, whatever the grace.
   */
  async stop(graceMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.drain(graceMs);
    for (const step of this.#steps.values()) {
      if (!step.answering) this.#leave(step);
    }
    await this.#goneWithin(answerMs, (step) => step.answering);
    if (this.#steps.size > 0) await this.#host?.handBack();
    await this.#farewell;
    this.#stalls.stop();
    this.#slots.stop();
    this.#target?.stop();
  }

  /** Resolves when no such step is left, or after that long. */
  async #goneWithin(ms: number, which: (step: RunningStep) => boolean): Promise<void> {
    const left = (): boolean => [...this.#steps.values()].some(which);
    if (ms <= 0 || !left()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#onStepGone.delete(look);
        resolve();
      };
      const look = (): void => {
        if (!left()) done();
      };
      const timer = this.#options.clock.setTimer(ms, done);
      this.#onStepGone.add(look);
    });
  }

  /** The code of a step cannot be stopped from outside, only left behind. */
  #leave(step: RunningStep): void {
    const { name } = this.#definitions.get(step.task.workflowType?.name ?? '') ?? {};
    const fields = { task: name, ...stepFields(step.task) };
    const message = step.gone
      ? 'A step that nobody waits for any more (it timed out, or its task ended) still ran when its worker stopped: it does not heed its signal'
      : 'A step still ran when its worker stopped; it is handed back, and runs again elsewhere or later';
    this.#options.logger.warn(message, fields);
    step.interrupt('gone');
  }

  // Workflow tasks.

  acceptsWorkflowTask(taskQueue: string, workflowType: string): boolean {
    if (!this.#definitions.isIn(taskQueue, workflowType) || this.#stopping) return false;
    return this.freeWorkflowTaskSlots() > 0;
  }

  workflowTypes(taskQueue: string): readonly string[] {
    return this.#definitions.typesOf(taskQueue);
  }

  freeWorkflowTaskSlots(): number {
    const free = this.#stopping ? 0 : Math.max(0, this.#workflowTasksMax - this.#drives.size);
    if (free === 0) this.#refusedWorkflowTask = true;
    return free;
  }

  heldUpTo(runId: string): number | undefined {
    return this.#runs.heldUpTo(runId);
  }

  rewind(runId: string, from: number, to: number): void {
    this.#runs.rewind(runId, from, to);
  }

  evict(runId: string): void {
    this.#runs.delete(runId);
    for (const drive of this.#drives) {
      if (executionOf(drive.task).runId === runId) drive.evicted = true;
    }
  }

  driveWorkflowTask(task: WorkflowTask): Promise<WorkflowTaskOutcome> {
    const drive: Drive = { task, evicted: false };
    let outcome: Later<WorkflowTaskOutcome>;
    try {
      outcome = this.#drive(drive);
    } catch (error) {
      outcome = failedOutcome(this.#answerer, task, error);
    }
    if (!isPromiseLike(outcome)) return Promise.resolve(outcome);
    this.#drives.add(drive);
    return outcome
      .catch((error: unknown) => failedOutcome(this.#answerer, task, error))
      .finally(() => this.#drove(drive));
  }

  #drove(drive: Drive): void {
    this.#drives.delete(drive);
    if (this.#refusedWorkflowTask) this.#announceRoom();
  }

  #announceRoom(): void {
    this.#refusedWorkflowTask = false;
    if (this.#stopping) return;
    this.#host?.capacityChanged();
    this.#pollLoop?.roomChanged();
  }

  #drive(drive: Drive): Later<WorkflowTaskOutcome> {
    const { task } = drive;
    const events = task.history?.events ?? [];
    if (task.nextPageToken?.length || !this.#edge.open) {
      return this.#wholeEvents(task, events).then((whole) => this.#driveEvents(drive, whole));
    }
    return this.#driveEvents(drive, events);
  }

  async #wholeEvents(task: WorkflowTask, events: Events): Promise<Events> {
    const rest = task.nextPageToken?.length ? await this.#read(task, task.nextPageToken) : [];
    const until = numberOf(task.startedEventId);
    const whole = [
      ...events,
      ...rest.filter(({ eventId }) => until === 0 || numberOf(eventId) <= until),
    ];
    return this.#edge.open ? whole : this.#edge.decodeEvents(whole);
  }

  #driveEvents(drive: Drive, events: Events): Later<WorkflowTaskOutcome> {
    const { task } = drive;
    const { workflowId, runId } = executionOf(task);
    if (task.query) {
      return queryOutcome(this.#answerer, task, () => this.#queried(task, events));
    }
    const until = numberOf(task.startedEventId);
    const held = drive.evicted ? undefined : this.#runs.get(runId);
    if (held && !held.stopped) {
      // The whole history comes from a service that does not know what is held here.
      const fresh = numberOf(events[0]?.eventId) === 1 ? events.slice(held.position) : events;
      if (continuesAt(fresh, held.position)) return this.#driveRun(drive, held, fresh, until);
    }
    const run = this.#newRun(task);
    if (isWhole(events, until)) return this.#driveRun(drive, run, events, until);
    return this.#read(task).then(async (read) => {
      const decoded = this.#edge.open ? read : await this.#edge.decodeEvents(read);
      const whole = joined(decoded, events);
      if (!isWhole(whole, until)) {
        throw new TaskCodeError(
          'HISTORY_INCOMPLETE',
          `The history of ${workflowId} (run ${runId}) could not be read up to event ${until}; it has ${whole.length} events`,
        );
      }
      return this.#driveRun(drive, run, whole, until);
    });
  }

  #driveRun(
    { task, evicted }: Drive,
    run: LiveRun,
    events: Events,
    until: number,
  ): Later<WorkflowTaskOutcome> {
    if (!evicted) this.#runs.set(run);
    const received = receiveUpdates(run.updates, task, this.#edge);
    const proceed = () => this.#stalls.watch(run, run.drive(events, until));
    const driving = received ? received.then(proceed) : proceed();
    return driving ? driving.then(() => this.#driven(task, run)) : this.#driven(task, run);
  }

  #driven(task: WorkflowTask, run: LiveRun): Later<WorkflowTaskOutcome> {
    // What was driven to its end, or against a wall, is not driven on: should the end be refused, or the code be
    // corrected, it begins again from its history.
    if (run.stopped) this.#runs.drop(run);
    if (run.broken) return failedOutcome(this.#answerer, task, run.broken);
    let commands: Command[];
    try {
      commands = commandsOf(run, this.#commandOptions);
    } catch (error) {
      this.#runs.drop(run);
      return failedOutcome(this.#answerer, task, error);
    }
    return completedOutcome(this.#answerer, task, run, commands);
  }

  #newRun(task: WorkflowTask | ActivityTask): LiveRun {
    return this.#definitions.newRun(executionOf(task), task.workflowType?.name ?? '');
  }

  #read(task: WorkflowTask | ActivityTask, nextPageToken?: Uint8Array): Promise<HistoryEvent[]> {
    return readHistory(this.#options.service, {
      namespace: this.namespace,
      ...executionOf(task),
      ...(nextPageToken && { nextPageToken }),
    });
  }

  async #queried(task: WorkflowTask, events: Events): Promise<LiveRun> {
    const held = this.#runs.get(executionOf(task).runId);
    const until = numberOf(task.previousStartedEventId);
    if (held && !held.stopped && until > 0 && held.position === until) return held;
    if (numberOf(events[0]?.eventId) === 1) return this.#shadow(task, events);
    return this.#loaded(task);
  }

  // Steps.

  freeStepSlots(taskQueue: string): number {
    return this.#takesSteps(taskQueue) ? this.#slots.free(taskQueue) : 0;
  }

  reserveStep(taskQueue: string): StepSlot | undefined {
    return this.#takesSteps(taskQueue) ? this.#slots.reserve(taskQueue) : undefined;
  }

  /** A workflow may send an activity to a queue that is another worker's. */
  #takesSteps(taskQueue: string): boolean {
    return !this.#stopping && this.#stepQueues.has(taskQueue);
  }

  startStep(slot: StepSlot, task: ActivityTask): void {
    const { service, clock, logger, dataConverter } = this.#options;
    const { runId } = executionOf(task);
    const id = stepId(runId, task.activityId ?? '');
    const step = new RunningStep(task, {
      service,
      namespace: this.namespace,
      identity: this.identity,
      clock,
      logger,
      converter: dataConverter,
      edge: this.#edge,
      automaticHeartbeats: this.#commandOptions.automaticHeartbeatMs > 0,
      onStarted: () => this.#slots.started(slot),
      // Its place is free for what follows from its answer, in the same commit.
      onEnded: () => this.#slots.vacate(slot),
    });
    this.#steps.set(id, step);
    const ended = (): void => {
      if (this.#steps.get(id) === step) this.#steps.delete(id);
      slot.release();
      this.#slots.announceRoom();
      for (const look of this.#onStepGone) look();
    };
    const call = this.#callIn(this.#runs.get(runId), task);
    const running = call ? step.run(call) : this.#runOther(step, task);
    running.then(ended, (error: unknown) => {
      logger.error('A step could not be run', { runId, step: task.activityId, error });
      ended();
    });
  }

  interruptStep({ runId, activityId, attempt, reason }: StepInterrupt): void {
    const step = this.#steps.get(stepId(runId, activityId));
    if (step && (step.task.attempt ?? 1) === attempt) step.interrupt(reason);
  }

  #callIn(run: LiveRun | undefined, task: ActivityTask): StepCall | undefined {
    const descriptor = run?.stepOf(task.activityId ?? '');
    if (!run || !descriptor) return undefined;
    const call = this.#options.callInstead?.(task);
    return {
      descriptor: call ? { ...descriptor, call } : descriptor,
      definition: run.definition,
      keyRunId: descriptor instanceof ActivityCall ? run.runId : run.keyRunId,
    };
  }

  /** Of a run that is not live here, or is driven by another process. */
  async #runOther(step: RunningStep, task: ActivityTask): Promise<void> {
    if (this.#definitions.get(task.workflowType?.name ?? '')) return this.#runLoaded(step, task);
    const { runId } = executionOf(task);
    const call = await this.#activities.callOf(task, this.#edge, runId);
    return call ? step.run(call) : step.fail(activityUnknown(task.activityType?.name ?? ''));
  }

  async #runLoaded(step: RunningStep, task: ActivityTask): Promise<void> {
    let call: StepCall | undefined;
    try {
      const loaded = () => this.#loaded(task);
      call = this.#callIn(await persistently(this.#options.clock, task, loaded), task);
    } catch (error) {
      await step.fail(error);
      return;
    }
    await (call ? step.run(call) : step.fail(stepUnknown(task.activityId ?? '')));
  }

  /** The run as its history has it, driven without a workflow task. */
  #loaded(task: WorkflowTask | ActivityTask): Promise<LiveRun> {
    const { runId } = executionOf(task);
    const known = this.#loading.get(runId);
    if (known) return known;
    const loading = this.#read(task)
      .then((events) => (this.#edge.open ? events : this.#edge.decodeEvents(events)))
      .then((events) => this.#shadow(task, events))
      .finally(() => this.#loading.delete(runId));
    this.#loading.set(runId, loading);
    return loading;
  }

  /**
   * Drives up to the last completed workflow task: what came after is for the next one. So it may be driven on from
   * there like any other.
   */
  async #shadow(task: WorkflowTask | ActivityTask, events: Events): Promise<LiveRun> {
    const run = this.#newRun(task);
    const until = lastDrivenEventId(events);
    await this.#stalls.watch(run, run.drive(events, until));
    if (run.broken) throw run.broken;
    const held = this.#runs.get(run.runId);
    if (!run.stopped && (held === undefined || held.position < until)) this.#runs.set(run);
    return run;
  }
}
