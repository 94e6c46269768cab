/**
 * An engine in memory with a clock of its own, for tests of tasks and workflows. A task that sleeps for a day is done
 * in milliseconds; environments know nothing of each other, so tests may run side by side in one process.
 */
import type { Client } from '@temporalio/client';
import {
  defaultDataConverter,
  type DataConverter,
  type LoadedDataConverter,
} from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import {
  checkedAttributes,
  checkedConcurrency,
  checkedConverter,
  checkedLogger,
  type AsyncTaskComponentOptions,
  type ConcurrencyOptions,
} from '../component/component-options.ts';
import type { AnyAsyncTask, Registrable } from '../component/async-task-component.ts';
import { startRuntime, type Runtime } from '../component/runtime.ts';
import { stderrLogger } from '../component/stderr-logger.ts';
import type { Engine } from '../engine/engine.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { systemRandom } from '../service/system-clock.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { Activity } from '../tasks/activity.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { parseDuration, shown, type Duration } from '../tasks/duration.ts';
import { isFields, unknownField } from '../tasks/known-fields.ts';
import { Workflow, type AnyWorkflow } from '../tasks/workflow.ts';
import { Mocks, type ActivityMock, type MockedActivity, type StepMock } from './mocks.ts';
import { TimeSkipper } from './time-skipper.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface TestEnvironmentOptions {
  /** What the time is at the start: epoch ms, a Date, or what `Date.parse` reads. 2030-01-01T00:00:00Z by default. */
  readonly now?: number | string | Date;
  /** False: time passes only when `skip` is called. True by default: also while a result is awaited. */
  readonly timeSkipping?: boolean;
  /** As the component's. */
  readonly taskQueue?: string;
  readonly concurrency?: AsyncTaskComponentOptions['concurrency'];
  readonly searchAttributes?: AsyncTaskComponentOptions['searchAttributes'];
  readonly dataConverter?: DataConverter;
  /** Warnings and errors go to standard error by default. */
  readonly logger?: Logger;
}

/** A recorded history, as `replay` takes it and Temporal's tools write it. */
export type History = temporal.api.history.v1.IHistory;

const optionFields = [
  'now',
  'timeSkipping',
  'taskQueue',
  'concurrency',
  'searchAttributes',
  'dataConverter',
  'logger',
] as const;
const namespace = 'default';
const retentionMs = 30 * 24 * 60 * 60_000;
const defaultNow = Date.parse('2030-01-01T00:00:00Z');

/**
 * ```ts
 * const environment = await TestEnvironment.start([reminder]);
 * const task = environment.get(reminder);
 * const id = await task.submit({ to: 'ada@example.com' });
 * expect(await task.result(id)).toBe('sent'); // though it sleeps for a day before
 * await environment.stop();
 * ```
 */
export class TestEnvironment {
  readonly #clock: VirtualClock;
  readonly #skipper: TimeSkipper;
  readonly #mocks: Mocks;
  readonly #copies: ReadonlyMap<Registrable, Registrable>;
  readonly #runtime: Runtime;
  readonly #store: MemoryStore;
  readonly #logger: Logger;
  #stopping: Promise<void> | undefined;

  private constructor(parts: {
    clock: VirtualClock;
    skipper: TimeSkipper;
    mocks: Mocks;
    copies: ReadonlyMap<Registrable, Registrable>;
    runtime: Runtime;
    store: MemoryStore;
    logger: Logger;
  }) {
    this.#clock = parts.clock;
    this.#skipper = parts.skipper;
    this.#mocks = parts.mocks;
    this.#copies = parts.copies;
    this.#runtime = parts.runtime;
    this.#store = parts.store;
    this.#logger = parts.logger;
  }

  /**
   * An environment that runs copies of these tasks, workflows and activities; `get` gives the copies.
   *
   * @throws EverstepError TEST_OPTIONS_INVALID, DUPLICATE_NAME.
   */
  static async start(
    items: readonly Registrable[],
    options: TestEnvironmentOptions = {},
  ): Promise<TestEnvironment> {
    const { now, timeSkipping, taskQueue, logger, ...rest } = checked(options);
    const copies = copiesOf(items);
    const store = new MemoryStore();
    await store.open();
    const clock = new VirtualClock(now);
    let runtime: Runtime | undefined;
    const mocks = new Mocks(() => loadedConverter(runtime).payloadConverter);
    const skipper = new TimeSkipper({
      clock,
      store,
      busy: () => (runtime?.worker?.running ?? 0) > 0,
    });
    const driven = [...copies.values()].filter(isDriven);
    runtime = await startRuntime({
      store,
      clock,
      random: systemRandom,
      logger,
      namespace,
      retentionMs,
      searchAttributes: rest.searchAttributes,
      dataConverter: rest.dataConverter,
      worker: {
        tasks: driven.map((copy) => copy.definition),
        activities: [...copies.values()].filter((copy) => copy instanceof Activity),
        taskQueue,
        concurrency: rest.concurrency,
        callInstead: (task) => mocks.callOf(task),
      },
      ...(timeSkipping && { serviceOf: (engine) => skippingService(engine, skipper) }),
    });
    const connection = { client: runtime.client, taskQueue, clock, random: systemRandom };
    for (const copy of driven) copy.connect(connection);
    return new TestEnvironment({ clock, skipper, mocks, copies, runtime, store, logger });
  }

  /**
   * The environment's own copy of a task, workflow or activity: what is submitted and started through it runs here.
   *
   * @throws EverstepError TEST_NOT_REGISTERED.
   */
  get<T extends Registrable>(item: T): T {
    const copy = this.#copies.get(item);
    if (copy !== undefined) return copy as T;
    throw new EverstepError(
      'TEST_NOT_REGISTERED',
      `get() was given ${nameOf(item)}, which is not among what TestEnvironment.start() was given.`,
    );
  }

  /** An official client on this environment. */
  get client(): Client {
    return this.#runtime.client;
  }

  /** What the time is here, epoch ms. */
  now(): number {
    return this.#clock.now();
  }

  /**
   * Lets that much time pass, and all that is due in it happen, in order. A step that takes real time holds it up for
   * a second at most; after that it sees its timeouts pass.
   *
   * @throws EverstepError TEST_OPTIONS_INVALID.
   */
  async skip(span: Duration): Promise<void> {
    const parsed = parseDuration(span, 0);
    if (parsed.problem !== undefined) throw invalid(`skip(): the span ${parsed.problem}`);
    await this.#skipper.skip(parsed.ms);
  }

  /** Resolves when nothing happens any more unless time passes or somebody calls. */
  async settled(): Promise<void> {
    await this.#skipper.settle();
  }

  /**
   * What runs in the place of a step's code from now on: of a task, or of `ctx.step`, by its key without `#2`, `#3`.
   * What it throws fails the attempt, as the step's own error would. A key that no step had is a warning at `stop`.
   */
  mockStep(item: Registrable, key: string, mock: StepMock): void {
    this.#mocks.setStep(this.get(item), key, mock);
  }

  /** The same for an activity, by itself or by its name: for those of any workflow. */
  mockActivity<TInput, TResult>(
    activity: MockedActivity<TInput, TResult>,
    mock: ActivityMock<TInput, TResult>,
  ): void {
    this.#mocks.setActivity(activity, mock);
  }

  /** The events of a task or workflow so far: to look at, or to keep for `replay`. */
  async history(workflowId: string): Promise<History> {
    return this.client.workflow.getHandle(workflowId).fetchHistory();
  }

  /** Steps that still run are left behind. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    this.#skipper.stop();
    await this.#runtime.worker?.stop(0);
    for (const copy of [...this.#copies.values()].filter(isDriven)) copy.connect(undefined);
    await this.#runtime.engine.stop();
    await this.#store.close();
    for (const text of this.#mocks.unused()) this.#logger.warn(text);
  }
}

function isDriven(item: Registrable): item is AnyAsyncTask | AnyWorkflow {
  return item instanceof AsyncTask || item instanceof Workflow;
}

function loadedConverter(runtime: Runtime | undefined): LoadedDataConverter {
  return runtime?.client.options.loadedDataConverter ?? defaultDataConverter;
}

/** The engine's service; time passes by itself while a call waits for a run to go on. */
function skippingService({ service }: Engine, skipper: TimeSkipper): WorkflowService {
  return {
    ...service,
    getWorkflowExecutionHistory: (request, call) => {
      const answer = service.getWorkflowExecutionHistory(request, call);
      return request.waitNewEvent ? skipper.while(answer) : answer;
    },
  };
}

function copiesOf(items: readonly Registrable[]): ReadonlyMap<Registrable, Registrable> {
  if (!Array.isArray(items)) {
    throw invalid('the first argument is no list; expected the tasks, workflows and activities');
  }
  const copies = new Map<Registrable, Registrable>();
  const names = new Set<string>();
  for (const item of items as readonly Registrable[]) {
    const isActivity = item instanceof Activity;
    if (!isActivity && !(item instanceof AsyncTask) && !(item instanceof Workflow)) {
      throw invalid(
        `the list holds ${String(item)}; expected tasks, and what workflow() and activity() returned`,
      );
    }
    const name = isActivity ? `activity ${item.name}` : `task ${item.workflowType}`;
    if (names.has(name)) {
      throw new EverstepError('DUPLICATE_NAME', `TestEnvironment: ${nameOf(item)} is there twice.`);
    }
    names.add(name);
    copies.set(item, isActivity ? item : (item.copy() as Registrable));
  }
  return copies;
}

function checked(options: TestEnvironmentOptions): {
  now: number;
  timeSkipping: boolean;
  taskQueue: string;
  logger: Logger;
  concurrency: ConcurrencyOptions;
  searchAttributes: AsyncTaskComponentOptions['searchAttributes'];
  dataConverter: DataConverter | undefined;
} {
  if (!isFields(options)) throw invalid(`the options are ${shown(options)}; expected an object`);
  const odd = unknownField(options, optionFields);
  if (odd !== undefined) throw invalid(`options.${odd}`);
  const { timeSkipping = true, taskQueue = 'async-tasks' } = options;
  const now = options.now === undefined ? defaultNow : new Date(options.now).getTime();
  if (!Number.isFinite(now)) {
    throw invalid(
      `options.now is ${String(options.now)}; expected epoch milliseconds, a Date, or a date as text`,
    );
  }
  if (typeof timeSkipping !== 'boolean') {
    throw invalid(`options.timeSkipping is ${String(timeSkipping)}; expected a boolean`);
  }
  if (typeof taskQueue !== 'string' || taskQueue === '') {
    throw invalid(`options.taskQueue is ${String(taskQueue)}; expected a name`);
  }
  return {
    now,
    timeSkipping,
    taskQueue,
    logger: ofComponent(() => checkedLogger(options.logger)) ?? stderrLogger('warn'),
    concurrency: ofComponent(() => checkedConcurrency(options.concurrency)),
    searchAttributes: ofComponent(() => checkedAttributes(options.searchAttributes)),
    dataConverter: ofComponent(() => checkedConverter(options.dataConverter)),
  };
}

/** What a component takes as well, refused in the environment's name. */
function ofComponent<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof EverstepError) || error.code !== 'COMPONENT_OPTIONS_INVALID')
      throw error;
    throw invalid(error.message.replace(/^AsyncTaskComponent: /, 'options.').replace(/\.$/, ''));
  }
}

function nameOf(item: Registrable): string {
  if (item instanceof AsyncTask) return `the task "${item.getName()}"`;
  if (item instanceof Workflow) return `the workflow "${item.getName()}"`;
  return item instanceof Activity ? `the activity "${item.name}"` : String(item);
}

function invalid(problem: string): EverstepError {
  return new EverstepError('TEST_OPTIONS_INVALID', `TestEnvironment: ${problem}.`);
}
