/**
 * The component: puts store, engine and tasks together in this process, and is what users start and stop. Above
 * the engine it speaks the service interface only, so that a Temporal server can take the engine's place.
 */
import type { Client } from '@temporalio/client';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { keepProcessAlive, systemClock, systemRandom } from '../service/system-clock.ts';
import { Activity, type AnyActivity } from '../tasks/activity.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { parseDuration, type Duration } from '../tasks/duration.ts';
import { unknownField } from '../tasks/known-fields.ts';
import { Workflow, type AnyWorkflow } from '../tasks/workflow.ts';
import type { Attached, Backend } from './backend.ts';
import {
  resolveOptions,
  shown,
  type AsyncTaskComponentOptions,
  type ResolvedOptions,
} from './component-options.ts';
import { EmbeddedBackend } from './embedded-backend.ts';
import { ServerBackend } from './server-backend.ts';
import { stderrLogger } from './stderr-logger.ts';
import { storeOf } from './store-of.ts';
import { holdTasks, releaseTasks } from './task-holders.ts';

/** Any task, whatever its parameters and result. */
export type AnyAsyncTask = AsyncTask<never, unknown>;

/** What a component takes. */
export type Registrable = AnyAsyncTask | AnyWorkflow | AnyActivity;

export interface StopOptions {
  /** How long running steps may go on before they are handed back: ms or a string; 10 s by default. */
  readonly gracePeriod?: Duration;
}

const gracePeriodMs = 10_000;

type Phase = 'new' | 'starting' | 'started' | 'stopping' | 'stopped';

interface Running extends Attached {
  /** Timers of the engine let a process end; a started component does not, until stop(). */
  readonly letGo: () => void;
}

/**
 * Runs tasks, or only submits and reads them (`worker: false`).
 *
 * ```ts
 * const component = new AsyncTaskComponent();
 * component.register(resize);
 * await component.start();
 * ```
 */
export class AsyncTaskComponent {
  readonly #options: ResolvedOptions;
  readonly #backend: Backend;
  /** Tasks and workflows, by their workflow type. */
  readonly #tasks = new Map<string, AnyAsyncTask | AnyWorkflow>();
  readonly #activities = new Map<string, AnyActivity>();
  #phase: Phase = 'new';
  #running: Running | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws EverstepError COMPONENT_OPTIONS_INVALID; StoreError STORE_URL_INVALID. */
  constructor(options: AsyncTaskComponentOptions = {}) {
    this.#options = resolveOptions(options, process.env);
    const { home } = this.#options;
    this.#backend =
      'server' in home ? new ServerBackend(home.server) : new EmbeddedBackend(storeOf(home.store));
  }

  /**
   * Makes a task, a workflow or an activity known to this process, before start(). An activity needs it only where
   * the workflow that calls it is not registered here.
   *
   * @throws EverstepError COMPONENT_STATE after start(), DUPLICATE_NAME, REGISTRATION_INVALID.
   */
  register(item: Registrable): void {
    if (this.#phase !== 'new') {
      throw new EverstepError(
        'COMPONENT_STATE',
        `register() after start() is refused: a worker polls for the tasks it had at its start. Register ${nameOf(item)} first, then start.`,
      );
    }
    if (item instanceof Activity) {
      this.#add(this.#activities, item.name, item, `An activity named "${item.name}"`);
    } else if (item instanceof AsyncTask) {
      this.#add(this.#tasks, item.workflowType, item, `A task named "${item.getName()}"`);
    } else if (item instanceof Workflow) {
      this.#add(this.#tasks, item.workflowType, item, `A workflow named "${item.getName()}"`);
    } else {
      throw new EverstepError(
        'REGISTRATION_INVALID',
        `register() was given ${typeof item === 'function' ? 'a function' : shown(item)}; expected an AsyncTask, or what workflow() or activity() returned: a function is registered as activity({ name, run }).`,
      );
    }
  }

  #add<T>(items: Map<string, T>, name: string, item: T, what: string): void {
    if (items.has(name)) {
      throw new EverstepError(
        'DUPLICATE_NAME',
        `${what} is registered already; each task, workflow and activity of a component needs a name of its own.`,
      );
    }
    items.set(name, item);
  }

  /** Registers all or, when one is refused, none. @throws as register(). */
  registerAll(items: readonly Registrable[]): void {
    if (!Array.isArray(items)) {
      throw new EverstepError(
        'REGISTRATION_INVALID',
        `registerAll() was given ${shown(items)}; expected a list of tasks, workflows and activities. One alone is for register().`,
      );
    }
    const tasks = new Map(this.#tasks);
    const activities = new Map(this.#activities);
    try {
      for (const item of items as readonly Registrable[]) this.register(item);
    } catch (error) {
      restore(this.#tasks, tasks);
      restore(this.#activities, activities);
      throw error;
    }
  }

  /**
   * Opens the store and starts the engine, or connects to the server, and, unless `worker: false`, starts the worker. A
   * second call is a notice in the log and nothing more.
   *
   * @throws StoreError when the store cannot be opened, EverstepError SERVER_UNREACHABLE or SERVER_REFUSED (start() may
   * be tried again); COMPONENT_STATE after stop(), or while another started component has one of the tasks.
   */
  async start(): Promise<void> {
    if (this.#phase === 'started') {
      this.#logger('info').info('start() was called again; the component runs already');
      return;
    }
    if (this.#phase === 'stopping' || this.#phase === 'stopped') {
      throw new EverstepError(
        'COMPONENT_STATE',
        'start() after stop() is refused: make a new AsyncTaskComponent.',
      );
    }
    this.#phase = 'starting';
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      if (this.#phase === 'starting') this.#phase = 'new';
      throw error;
    }
  }

  /**
   * Takes no more work, lets running steps finish within the grace period, hands back what is left (it goes on
   * elsewhere, or at the next start, with the same attempt), and closes the store. Resolves when that is done.
   *
   * @throws EverstepError COMPONENT_OPTIONS_INVALID for a grace period, or an option, that cannot be.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const odd = unknownField(options, ['gracePeriod']);
    if (odd !== undefined) {
      throw new EverstepError('COMPONENT_OPTIONS_INVALID', `stop(): options.${odd}.`);
    }
    const grace = parseDuration(options.gracePeriod ?? gracePeriodMs, 0);
    if (grace.problem !== undefined) {
      throw new EverstepError('COMPONENT_OPTIONS_INVALID', `stop(): gracePeriod ${grace.problem}.`);
    }
    await this.#starting?.catch(() => undefined);
    this.#stopping ??= this.#stop(grace.ms);
    await this.#stopping;
  }

  /** Between start() and stop(), and neither the worker, where there is one, nor the store has failed for good. */
  isStarted(): boolean {
    return (
      this.#phase === 'started' &&
      this.#running?.worker?.failed !== true &&
      this.#backend.failure === undefined
    );
  }

  /**
   * An official `@temporalio/client` Client on this component's engine and namespace.
   *
   * @throws EverstepError COMPONENT_STATE before start() and after stop().
   */
  getClient(): Client {
    if (this.#running !== undefined) return this.#running.client;
    throw new EverstepError(
      'COMPONENT_STATE',
      this.#phase === 'stopped'
        ? 'getClient() needs a started component; this one was stopped. Make a new AsyncTaskComponent.'
        : `getClient() needs a started component; this one is ${this.#phase}. Call start() first.`,
    );
  }

  async #start(): Promise<void> {
    const tasks = [...this.#tasks.values()];
    holdTasks(tasks, this);
    try {
      await this.#attach();
    } catch (error) {
      releaseTasks(tasks, this);
      throw error;
    }
  }

  async #attach(): Promise<void> {
    const { namespace, taskQueue, concurrency, buildId, searchAttributes, dataConverter, worker } =
      this.#options;
    const backend = this.#backend;
    const attached = await backend.start({
      namespace,
      searchAttributes,
      dataConverter,
      logger: this.#logger('warn'),
      work: worker
        ? {
            tasks: [...this.#tasks.values()].map((task) => task.definition),
            activities: [...this.#activities.values()],
            taskQueue,
            concurrency,
            buildId,
          }
        : undefined,
    });
    for (const task of this.#tasks.values()) {
      task.connect({
        client: attached.client,
        taskQueue,
        clock: systemClock,
        random: systemRandom,
      });
    }
    this.#running = { ...attached, letGo: keepProcessAlive() };
    this.#phase = 'started';
    const work = worker ? `tasks: ${this.#tasks.size}` : 'no worker';
    this.#logger('info').info(
      `started on ${backend.description} (namespace ${namespace}, ${work})`,
    );
  }

  async #stop(graceMs: number): Promise<void> {
    const running = this.#running;
    this.#phase = 'stopping';
    try {
      await running?.stop(graceMs, () => {
        for (const task of this.#tasks.values()) task.connect(undefined);
      });
    } finally {
      running?.letGo();
      releaseTasks([...this.#tasks.values()], this);
      this.#running = undefined;
      this.#phase = 'stopped';
    }
  }

  /** The user's logger; or standard error, from that level on. */
  #logger(least: 'info' | 'warn'): Logger {
    return this.#options.logger ?? stderrLogger(least);
  }
}

function nameOf(item: unknown): string {
  if (item instanceof AsyncTask || item instanceof Workflow) return `"${item.getName()}"`;
  return item instanceof Activity ? `"${item.name}"` : 'everything';
}

function restore<T>(items: Map<string, T>, before: ReadonlyMap<string, T>): void {
  items.clear();
  for (const [name, item] of before) items.set(name, item);
}
