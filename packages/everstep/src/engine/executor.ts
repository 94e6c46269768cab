/**
 * Applies inputs to runs and commits what they did.
 *
 * Inputs to one run that arrive within a turn share one commit (a unit); units of many runs share one write of
 * the store. A reply leaves after its commit, never before. A lost commit (another process wrote first) drops the
 * cached run, loads it again and applies the same inputs once more: the pure core makes that safe.
 * Must never: keep a lock across a commit, answer from a state that is not committed, or trust the cache.
 * Read next: unit.ts, hand-over.ts (how a local worker joins a unit), group-commit.ts (how units are written).
 */
import type { CoreEnv } from '../core/draft.ts';
import type { DispatchTask, Input, InputKind, InputOf, Replies } from '../core/input.ts';
import type { Limits } from '../core/limits.ts';
import { isOpen, type RunState } from '../core/state.ts';
import { decodeState } from '../core/state-codec.ts';
import { transition } from '../core/transition.ts';
import type { Transition, TransitionFunction } from '../core/transition.ts';
import type { Clock, Random } from '../service/clock.ts';
import { ServiceError, isServiceError } from '../service/service-error.ts';
import type { JoinedStore, RunKey, RunRef, StoredRun } from '../store/store.ts';
import { GroupCommit } from './group-commit.ts';
import { LiveRun } from './unit.ts';
import type { LiveRuns } from './live-runs.ts';
import { encodeNewEvents, newUnit } from './unit.ts';
import type { Part, Request, RequestOutcome, Unit } from './unit.ts';

/** How often an input is tried again after lost commits before its sender is told to come back. */
const conflictsMax = 100;

const endsStep: ReadonlySet<InputKind> = new Set<InputKind>([
  'completeActivity',
  'failActivity',
  'cancelActivity',
]);

export interface Dispatcher {
  /** Hands the task to a worker of this process inside the part, if one takes it. */
  handOver(part: Part, task: DispatchTask): boolean;
  /** The run's commit was lost: workers forget what they made of it. */
  evict(runId: string): void;
}

export interface ExecutorOptions {
  readonly store: JoinedStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly registeredAttributes?: CoreEnv['registeredAttributes'];
  readonly live: LiveRuns;
  readonly groupCommit: GroupCommit;
  /** The core's own by default. */
  readonly transition?: TransitionFunction;
}

/** An executor's finding that the run is not there; the verbs word it. */
export type Located = LiveRun | undefined;

export class Executor {
  readonly #store: JoinedStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: Limits;
  readonly #registeredAttributes: CoreEnv['registeredAttributes'];
  readonly #live: LiveRuns;
  readonly #groupCommit: GroupCommit;
  readonly #transition: TransitionFunction;
  readonly #loading = new Map<string, Promise<Located>>();
  dispatcher: Dispatcher | undefined;
  /** Whether a worker polls its sticky queue, as far as this process knows. */
  stickyPolled: ((namespaceId: string, taskQueue: string) => boolean) | undefined;

  constructor(options: ExecutorOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#limits = options.limits;
    this.#registeredAttributes = options.registeredAttributes;
    this.#live = options.live;
    this.#groupCommit = options.groupCommit;
    this.#transition = options.transition ?? transition;
    this.#groupCommit.onCommitted = (run, waiting) => {
      for (const request of waiting) this.apply(run, request);
    };
    this.#groupCommit.onLost = (unit, waiting) => {
      this.#redo(unit, waiting);
    };
    this.#groupCommit.onDropped = (run) => {
      this.drop(run);
    };
  }

  env(): CoreEnv {
    return {
      now: this.#clock.now(),
      random: this.#random,
      limits: this.#limits,
      registeredAttributes: this.#registeredAttributes,
    };
  }

  /** Applies one input to a run and resolves after the commit that holds its effect. */
  async submit<K extends InputKind>(
    key: RunKey,
    input: InputOf<K>,
    done: { readonly doneTask?: number; readonly doneOutbox?: number } = {},
  ): Promise<{ readonly value: Replies[K]; readonly run: LiveRun }> {
    const run = await this.locate(key);
    if (!run) throw runNotFound(key);
    return this.submitTo(run, input, done);
  }

  submitTo<K extends InputKind>(
    run: LiveRun,
    input: InputOf<K>,
    done: { readonly doneTask?: number; readonly doneOutbox?: number } = {},
  ): Promise<{ readonly value: Replies[K]; readonly run: LiveRun }> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: RequestOutcome): void => {
        if (outcome.ok) resolve({ value: outcome.value as Replies[K], run: outcome.run });
        else reject(errorOf(outcome));
      };
      this.apply(run, { input: input as Input, settle, ...done });
    });
  }

  /**
   * As submitTo, for what is meant for the workflow id: when the run was followed by another meanwhile (CN-1), that
   * one gets it.
   */
  async submitToChain<K extends InputKind>(
    run: LiveRun,
    input: InputOf<K>,
    check?: (run: LiveRun) => void,
  ): Promise<{ readonly value: Replies[K]; readonly run: LiveRun }> {
    for (let target = run; ;) {
      check?.(target);
      const done = await this.submitTo<K>(target, input).catch((error: unknown) => {
        if (isServiceError(error, 'NOT_FOUND')) return error;
        throw error;
      });
      const refused = isServiceError(done);
      if (!refused && !hadNoEffect(input, done.run)) return done;
      const { namespaceId, workflowId, runId } = target.key;
      const current = await this.locateCurrent(namespaceId, workflowId);
      if (current && current.key.runId !== runId) target = current;
      else if (refused) throw done;
      else return done;
    }
  }

  /**
   * Puts an input into the run's open unit. While the run's last unit is being committed the input waits for it.
   */
  apply(run: LiveRun, request: Request): void {
    if (run.dropped) {
      this.#again(run.key, request);
      return;
    }
    if (run.part && run.part.unit.phase === 'committing') {
      run.part.waiting.push(request);
      return;
    }
    if (!run.state && !run.part) {
      this.#again(run.key, request);
      return;
    }
    const part = run.part ?? this.openPart(run, newUnit());
    this.applyIn(part, request);
  }

  /** Applies an input inside a part that is open, and gives its outcome as it will be once committed. */
  applyIn(part: Part, request: Request): RequestOutcome {
    if (request.input.kind === 'startWorkflowTask') countEvents(part);
    const result = this.#transition(
      part.fresh ? undefined : part.state,
      request.input as never,
      this.env(),
      part.changed ? part.run.state : undefined,
    ) as Transition<unknown>;
    part.fresh = false;
    const outcome: RequestOutcome = result.answer.ok
      ? { ok: true, value: result.answer.value, run: part.run }
      : { ok: false, refusal: result.answer.refusal };
    part.unit.requests.push({ request, run: part.run, outcome });
    if (request.doneTask !== undefined) part.unit.doneTasks.push(request.doneTask);
    // What is to follow a refusal is for who delivers the message; it is there until then.
    if (request.doneOutbox !== undefined && outcome.ok) {
      part.unit.doneOutbox.push(request.doneOutbox);
    }
    if (outcome.ok && endsStep.has(request.input.kind)) part.unit.placesLeft += 1;
    this.#merge(part, result, eagerOf(request, outcome));
    if (outcome.ok) dropTaken(part, request.input);
    request.onApplied?.(part, outcome);
    this.#groupCommit.add(part.unit);
    return outcome;
  }

  /** Opens a run's share of a unit. */
  openPart(run: LiveRun, unit: Unit): Part {
    const part: Part = {
      run,
      unit,
      state: run.state as RunState,
      fresh: run.state === undefined,
      events: [],
      encoded: [],
      encodedEvents: 0,
      tasks: [],
      outbox: [],
      interrupts: [],
      waiting: [],
      changed: false,
    };
    run.part = part;
    unit.parts.push(part);
    return part;
  }

  /** Adds what a transition did to its part: state, events, and the work it made, handed over where it can be. */
  #merge(part: Part, result: Transition<unknown>, eager: readonly DispatchTask[] = []): void {
    part.state = result.state;
    if (!result.changed && !result.nextRun) return;
    part.changed = true;
    for (const event of result.events) part.events.push(event);
    for (const message of result.outbox) part.outbox.push(message);
    for (const interrupt of result.interrupts) part.interrupts.push(interrupt);
    if (result.nextRun) this.addRun(part.unit, result.nextRun, part.run);
    for (const task of result.tasks) {
      if (!eager.includes(task) && this.dispatcher?.handOver(part, task)) continue;
      const createdAt = this.#clock.now();
      const { taskQueue, normalTaskQueue } = task;
      if (normalTaskQueue === '' || this.stickyPolled?.(part.state.namespaceId, taskQueue)) {
        part.tasks.push({ ...task, createdAt });
      } else {
        // WT-6. Whoever takes it there is given the whole history, and by that the run is not sticky any more.
        part.tasks.push({ ...task, taskQueue: normalTaskQueue, normalTaskQueue: '', createdAt });
      }
    }
  }

  /** A new run made by a transition of another (continue-as-new, retry, cron, reset), in the same commit. */
  addRun(unit: Unit, made: Transition<unknown>, replaces: LiveRun | RunRef | null): LiveRun {
    const { namespaceId, workflowId, runId } = made.state;
    const run = new LiveRun({ namespaceId, workflowId, runId });
    this.#live.add(run);
    const part = this.openPart(run, unit);
    part.fresh = false;
    part.replaces = replaces;
    this.#merge(part, made);
    return run;
  }

  /** A reset: what it does to the current run, which comes first, and to others, and the run it makes, as one unit. */
  addTransitions(
    unit: Unit,
    changes: readonly { readonly run: LiveRun; readonly made: Transition<unknown> | undefined }[],
    next: Transition<unknown>,
    settle: Request['settle'],
  ): void {
    for (const { run, made } of changes) {
      const part = this.openPart(run, unit);
      if (made) this.#merge(part, made);
    }
    const run = this.addRun(unit, next, changes[0]?.run ?? null);
    const input: Input = { kind: 'wake' };
    unit.requests.push({
      request: { input, settle, madeByRestart: true },
      run,
      outcome: { ok: true, value: undefined, run },
    });
    this.#groupCommit.add(unit);
  }

  /** Starts a new run in a unit of its own or in that of the run it replaces. */
  startRun(
    input: InputOf<'start'>,
    replaces: LiveRun | RunRef | null,
    unit: Unit,
    request: Request,
  ): LiveRun {
    const key: RunKey = {
      namespaceId: input.namespaceId,
      workflowId: input.request.workflowId ?? '',
      runId: input.runId,
    };
    const run = new LiveRun(key);
    this.#live.add(run);
    const part = this.openPart(run, unit);
    part.replaces = replaces;
    this.applyIn(part, request);
    return run;
  }

  /** The run in memory, loaded when it is not there. */
  locate(key: RunKey): Promise<Located> {
    const live = this.#live.get(key.runId);
    if (live) return Promise.resolve(matches(live, key) ? live : undefined);
    return this.#load(key);
  }

  async locateByRef(ref: RunRef, runId?: string): Promise<Located> {
    const live = runId === undefined ? undefined : this.#live.get(runId);
    if (live) return live;
    const stored = await this.#store.runs.loadByRef({ ref });
    return stored && this.adopt(stored);
  }

  /** The workflow id's current run, as the store has it now. */
  async locateCurrent(namespaceId: string, workflowId: string): Promise<Located> {
    const live = this.#live.newest(namespaceId, workflowId);
    if (live?.ref !== undefined) {
      // Which run it is and its version will do for one that is here.
      const head = await this.#store.runs.currentHead({ namespaceId, workflowId });
      if (head?.ref === live.ref && head.version === live.version && !live.dropped) return live;
    }
    const stored = await this.#store.runs.loadCurrent({ namespaceId, workflowId });
    return stored && this.adopt(stored);
  }

  /** The cached run brought up to what the store has now; for reads, which no commit guards. */
  async refresh(run: LiveRun): Promise<Located> {
    if (run.ref === undefined) return run;
    const [head] = await this.#store.runs.heads({ refs: [run.ref] });
    if (head && head.version === run.version && !run.dropped) return run;
    if (run.part && !run.dropped) {
      // Another process was first, so this part will be lost; until that is found out readers see what is stored.
      const stored = await this.#store.runs.load({ key: run.key });
      return stored && loaded(stored);
    }
    if (!run.dropped) this.drop(run);
    const found = await this.locate(run.key);
    // A load that was under way already may have read before that head was written.
    return found && head && found.version < head.version ? this.refresh(found) : found;
  }

  /** The live object of a stored run; an older one in memory is dropped. */
  adopt(stored: StoredRun): LiveRun {
    const live = this.#live.get(stored.key.runId);
    if (live) {
      if (live.part || live.version >= stored.version) return live;
      this.drop(live);
    }
    const run = loaded(stored);
    this.#live.add(run);
    return run;
  }

  drop(run: LiveRun): void {
    this.#live.drop(run);
    this.dispatcher?.evict(run.key.runId);
  }

  /** Who asks for the same run meanwhile shares the load; who names it otherwise gets an answer of their own. */
  #load(key: RunKey): Promise<Located> {
    const name = JSON.stringify([key.namespaceId, key.workflowId, key.runId]);
    let loading = this.#loading.get(name);
    if (!loading) {
      loading = this.#store.runs
        .load({ key })
        .then((stored) => stored && this.adopt(stored))
        .finally(() => this.#loading.delete(name));
      this.#loading.set(name, loading);
    }
    return loading;
  }

  /** Applies an input to a run that has to be loaded first. */
  #again(key: RunKey, request: Request): void {
    this.locate(key).then(
      (run) => {
        if (run) this.apply(run, request);
        else request.settle({ ok: false, error: runNotFound(key) });
      },
      (error: unknown) => {
        request.settle({ ok: false, error });
      },
    );
  }

  #redo(
    unit: Unit,
    waiting: readonly { readonly run: LiveRun; readonly request: Request }[],
  ): void {
    for (const part of unit.parts) this.drop(part.run);
    for (const undo of unit.onLost) undo();
    unit.restart?.();
    for (const { request, run } of unit.requests) {
      if (!request.madeByRestart && request.handedOverIn !== unit) this.#retry(run.key, request);
    }
    for (const { run, request } of waiting) this.#retry(run.key, request);
  }

  #retry(key: RunKey, request: Request): void {
    const conflicts = (request.conflicts ?? 0) + 1;
    if (conflicts > conflictsMax) {
      request.settle({
        ok: false,
        refusal: {
          code: 'UNAVAILABLE',
          message: `Workflow ${key.workflowId} is being changed by too many at once; try again.`,
        },
      });
      return;
    }
    this.#again(key, { ...request, conflicts });
  }
}

/** SG-5: to cancel a run that has closed succeeds. */
function hadNoEffect({ kind }: InputOf<InputKind>, { latest }: LiveRun): boolean {
  return (
    kind === 'requestCancel' && latest !== undefined && !isOpen(latest) && !latest.cancelRequested
  );
}

function loaded(stored: StoredRun): LiveRun {
  const run = new LiveRun(stored.key);
  run.ref = stored.ref;
  run.version = stored.version;
  run.state = decodeState(stored.state, { ...stored.key, ...stored.columns });
  run.columns = stored.columns;
  run.tailFrom = run.state.nextEventId;
  return run;
}

/** WT-10: the started event tells the size of the history before it, with what the same commit adds to that. */
function countEvents(part: Part): void {
  try {
    encodeNewEvents(part);
  } catch {
    // The commit comes to the same end, says so, and fails the unit.
  }
}

/** AC-16: steps that travel in the reply are for who asked, and not for a call that waits. */
function eagerOf({ input }: Request, outcome: RequestOutcome): readonly DispatchTask[] {
  if (input.kind !== 'completeWorkflowTask' || !outcome.ok) return [];
  return (outcome.value as Replies['completeWorkflowTask']).eagerActivities;
}

/** A task that is started in the unit that made it needs no row. */
function dropTaken(part: Part, input: Input): void {
  if (part.tasks.length === 0) return;
  if (input.kind !== 'startWorkflowTask' && input.kind !== 'startActivity') return;
  const kind = input.kind === 'startWorkflowTask' ? 'workflow' : 'activity';
  const index = part.tasks.findIndex(
    (task) => task.kind === kind && task.scheduledEventId === input.scheduledEventId,
  );
  if (index >= 0) part.tasks.splice(index, 1);
}

function matches(run: LiveRun, key: RunKey): boolean {
  return run.key.workflowId === key.workflowId && run.key.namespaceId === key.namespaceId;
}

export function runNotFound(key: {
  readonly workflowId: string;
  readonly runId: string;
}): ServiceError {
  return new ServiceError({
    code: 'NOT_FOUND',
    message: key.runId
      ? `workflow execution not found for workflow ID "${key.workflowId}" and run ID "${key.runId}"`
      : `workflow not found for ID: ${key.workflowId}`,
    detail: { kind: 'notFound' },
  });
}

export function errorOf(outcome: Exclude<RequestOutcome, { readonly ok: true }>): unknown {
  return 'refusal' in outcome ? new ServiceError(outcome.refusal) : outcome.error;
}
