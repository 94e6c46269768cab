/**
 * Runs the workers of many integrations: connects once, gives each integration its own workers or its own process,
 * starts again what ends unasked, and says how each does. What happens to one integration never touches another.
 *
 * Read next: worker-plan.ts (which workers an integration has), supervised-worker.ts (the life of one), worker-home.ts
 * (what they share), integration-process.ts and worker-process.ts (the two ends of a process).
 */
import { availableParallelism } from 'node:os';
import type { Client } from '@temporalio/client';
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import { shown } from '../component/component-options.ts';
import { stderrLogger } from '../component/stderr-logger.ts';
import { holdTasks, releaseTasks } from '../component/task-holders.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { Logger } from '../service/logger.ts';
import { Once } from '../service/once.ts';
import { keepProcessAlive, systemClock, systemRandom } from '../service/system-clock.ts';
import type { AnyWorkflow } from '../tasks/workflow.ts';
import type { HeldWorker, WorkerStatus } from './held-worker.ts';
import { launchProcess } from './integration-process.ts';
import {
  resolveManagerOptions,
  type ResolvedManagerOptions,
  type WorkerManagerOptions,
} from './manager-options.ts';
import type { ProcessSetup } from './process-messages.ts';
import { QueueOwners, queuesOf } from './queue-owners.ts';
import { runnableOf, sourceOf, type Found, type RunnableSource } from './runnable.ts';
import { SharedProcess } from './shared-process.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import { untilSignal } from './until-signal.ts';
import { WorkerHome } from './worker-home.ts';
import {
  plansOf,
  sharedPlan,
  sharedWork,
  type SharedWork,
  type WorkerPlan,
} from './worker-plan.ts';
import { WorkflowCollector, type WorkflowCollectorOptions } from './workflow-collector.ts';

type Handle = AnyAsyncTask | AnyWorkflow;

/**
 * ```ts
 * const manager = new WorkerManager({ store: 'sqlite:tasks.db', isolation: 'process' });
 * await manager.create('./integrations');
 * await manager.runUntilSignal();
 * ```
 */
export class WorkerManager {
  readonly #options: ResolvedManagerOptions;
  readonly #home: WorkerHome;
  readonly #logger: Logger;
  /** By the name of the integration. */
  readonly #workers = new Map<string, readonly SupervisedWorker[]>();
  /** Of tasks that one worker must run for all, where there are any. */
  #shared: SupervisedWorker | undefined;
  readonly #sharedWork: SharedWork[] = [];
  readonly #sources: RunnableSource[] = [];
  readonly #sharedProcess: SharedProcess;
  readonly #queues = new QueueOwners();
  /** Its worker has begun without something that was created since. */
  #sharedLacks = false;
  readonly #handles: Handle[] = [];
  readonly #connecting = new Once(() => this.#connect());
  #stopping: Promise<void> | undefined;
  /** Timers of the engine let a process end; a connected manager does not, until stop(). */
  #letGo: (() => void) | undefined;

  /** @throws EverstepError COMPONENT_OPTIONS_INVALID; StoreError STORE_URL_INVALID. */
  constructor(options: WorkerManagerOptions = {}) {
    this.#options = resolveManagerOptions(options, process.env);
    this.#logger = this.#options.logger ?? stderrLogger('info');
    this.#sharedProcess = new SharedProcess(this.#logger);
    this.#home = new WorkerHome({ ...this.#options, logger: this.#logger });
  }

  /**
   * Opens the store, or connects to the server. A second call waits for the first; create() and start() connect as well.
   *
   * @throws StoreError when the store cannot be opened, EverstepError SERVER_UNREACHABLE or SERVER_REFUSED (it may be
   * tried again); COMPONENT_STATE after stop().
   */
  async connect(): Promise<void> {
    if (this.#stopping !== undefined) {
      throw new EverstepError(
        'COMPONENT_STATE',
        'This WorkerManager was stopped and cannot be used again: make a new one.',
      );
    }
    await this.#connecting.get();
  }

  /**
   * Makes the workers of what was found, and connects its tasks, so that they can be submitted from here. Of a folder,
   * what discovery could not use gets a worker that fails. With `isolation: 'process'` the code of a folder is loaded by
   * the processes alone; then its tasks are not connected here.
   *
   * @throws EverstepError REGISTRATION_INVALID, DUPLICATE_NAME for a name that was created before, INTEGRATION_DIRECTORY,
   * COMPONENT_STATE while a component has one of the tasks; with `strict` what discovery throws.
   */
  async create(
    found: readonly Found[] | string | URL,
    options: WorkflowCollectorOptions = {},
  ): Promise<void> {
    await this.connect();
    if (typeof found === 'string' || found instanceof URL) {
      await this.#createFrom(found, options);
      return;
    }
    if (!Array.isArray(found)) {
      throw new EverstepError(
        'REGISTRATION_INVALID',
        `WorkerManager.create() was given ${shown(found)}; expected the path of a folder of integrations, or a list of what discovery found.`,
      );
    }
    this.#checkNew((found as readonly Found[]).map((one) => sourceOf(one).name));
    for (const one of found as readonly Found[]) this.#createOne(one);
  }

  /**
   * Starts the workers of that integration, or of all. Resolves when each runs or has failed its first try; those are
   * in the log and in status(), and are tried again.
   *
   * @throws EverstepError COMPONENT_STATE for a name that was not created, or whose workers drain; with `strict` what the
   * first that failed was ended by.
   */
  async start(name?: string): Promise<void> {
    await this.connect();
    const workers = this.#named(name);
    if (this.#shared) {
      const names = name === undefined ? [...this.#workers.keys()] : [name];
      for (const one of names) if (this.#sharedProcess.admit(one)) this.#sharedLacks = true;
      if (this.#sharedLacks) await this.#shared.stop();
      this.#sharedLacks = false;
      workers.push(this.#shared);
    }
    await inTurn(workers, async (worker) => {
      // What stop() has stopped is not begun by a start that still goes on.
      if (this.#stopping === undefined) await worker.start();
    });
    const failed = workers.find(({ state }) => state === 'failed' || state === 'backing-off');
    if (this.#options.strict && failed) throw failed.lastError;
  }

  /**
   * Drains the workers of that integration, or drains all and lets go of the store or server. What still runs after the
   * grace period goes on until its end with a name, and is handed back without.
   *
   * @throws EverstepError COMPONENT_STATE for a name that was not created.
   */
  async stop(name?: string): Promise<void> {
    if (name !== undefined) {
      await Promise.all(this.#named(name).map((worker) => worker.stop()));
      return;
    }
    this.#stopping ??= this.#stop();
    await this.#stopping;
  }

  /** Why no worker of it will ever work again: the store has failed for good. Undefined otherwise. */
  get failure(): unknown {
    return this.#home.failure;
  }

  /** Of each worker, by name. */
  status(): WorkerStatus[] {
    return this.#all().flatMap((worker) => worker.status());
  }

  /**
   * Starts what does not run, waits for SIGINT or SIGTERM, and stops. A second signal ends the process at once.
   *
   * @throws what start() throws.
   */
  async runUntilSignal(): Promise<void> {
    const told = untilSignal();
    try {
      await this.start();
      const signal = await told.signal;
      this.#logger.info(`${signal}: the workers drain; once more ends the process at once`);
    } finally {
      told.forget();
      await this.stop();
    }
  }

  /**
   * An official `@temporalio/client` Client on the same engine and namespace.
   *
   * @throws EverstepError COMPONENT_STATE before connect() and after stop().
   */
  getClient(): Client {
    const { client } = this.#home;
    if (client !== undefined) return client;
    throw new EverstepError(
      'COMPONENT_STATE',
      'getClient() needs a WorkerManager that is connected: call connect() first, and not after stop().',
    );
  }

  async #connect(): Promise<void> {
    await this.#home.open();
    this.#letGo = keepProcessAlive();
    this.#logger.info(`connected to ${this.#home.description} (namespace ${this.#home.namespace})`);
  }

  async #createFrom(directory: string | URL, options: WorkflowCollectorOptions): Promise<void> {
    const { strict, processes } = this.#options;
    const collector = new WorkflowCollector({ strict, logger: this.#logger, ...options });
    const found = processes ? collector.find(directory) : await collector.collect(directory);
    const all = [...found.integrations, ...found.failures];
    this.#checkNew(all.map((one) => ('error' in one ? one.name : one.integrationName)));
    for (const one of found.integrations) this.#createOne(one);
    for (const { name, error } of found.failures) {
      const launch = (): Promise<never> => Promise.reject(error);
      this.#keep(name, [{ name, kind: 'workflows', taskQueue: '', launch }]);
    }
  }

  #createOne(found: Found): void {
    const source = sourceOf(found);
    const runnable = runnableOf(found);
    this.#queues.take(source.name, source.path, queuesOf(runnable));
    this.#connectHandles([...runnable.tasks, ...runnable.workflows]);
    this.#sources.push(source);
    if (this.#options.processes) {
      this.#keep(source.name, [this.#processPlan(source.name, source.taskQueue, [source], 'own')]);
    } else {
      const work = sharedWork(runnable, this.#home);
      if (work) this.#sharedWork.push(work);
      this.#keep(source.name, plansOf(runnable, this.#home));
    }
    this.#share();
  }

  /** Where one worker must run the tasks of all that name no queue. */
  #share(): void {
    const home = this.#home;
    if (home.isEmbedded) return;
    const { taskQueue } = home;
    if (this.#shared) this.#sharedLacks = this.#shared.state !== 'created';
    else if (this.#options.processes) {
      this.#shared = this.#supervised(
        this.#processPlan(taskQueue, taskQueue, this.#sources, 'shared'),
      );
    } else if (this.#sharedWork.length > 0) {
      this.#shared = this.#supervised(sharedPlan(() => this.#sharedWork, home));
    }
  }

  #processPlan(
    name: string,
    taskQueue: string,
    sources: readonly RunnableSource[],
    part: ProcessSetup['part'],
  ): WorkerPlan {
    const { processes, home, namespace, buildId, dataConverter, concurrency, graceMs, restart } =
      this.#options;
    if (!processes) throw new TypeError('There are no processes without isolation');
    const launch: typeof launchProcess =
      part === 'own' ? launchProcess : (options) => this.#sharedProcess.launch(options);
    const launchPart = async (): Promise<HeldWorker> => {
      const held = await launch({
        ...processes,
        name,
        logger: this.#logger,
        setup: {
          home,
          namespace,
          taskQueue: this.#home.taskQueue,
          buildId,
          dataConverter,
          concurrency,
          officialAddress: await this.#home.serverOptions(),
          graceMs,
          restart,
          sources: [...sources],
          part,
        },
      });
      // Of code that only a process has loaded, the queues are known when it runs.
      const queues = new Set(held.workers?.map((worker) => worker.taskQueue));
      queues.delete(this.#home.taskQueue);
      try {
        this.#queues.take(name, sources[0]?.path ?? '', queues);
      } catch (error) {
        await held.stop();
        throw error;
      }
      return held;
    };
    return { name, kind: 'process', taskQueue, launch: launchPart };
  }

  #connectHandles(handles: readonly Handle[]): void {
    holdTasks(handles, this);
    const client = this.getClient();
    const { taskQueue } = this.#home;
    for (const handle of handles) {
      handle.connect({ client, taskQueue, clock: systemClock, random: systemRandom });
    }
    this.#handles.push(...handles);
  }

  #keep(name: string, plans: readonly WorkerPlan[]): void {
    this.#workers.set(
      name,
      plans.map((plan) => this.#supervised(plan)),
    );
  }

  #supervised(plan: WorkerPlan): SupervisedWorker {
    const { restart } = this.#options;
    return new SupervisedWorker({ ...plan, clock: systemClock, logger: this.#logger, restart });
  }

  #checkNew(names: readonly string[]): void {
    const taken = new Set(this.#workers.keys());
    for (const name of names) {
      if (taken.has(name)) {
        throw new EverstepError(
          'DUPLICATE_NAME',
          `There are two integrations named "${name}"; each of a WorkerManager needs a name of its own.`,
        );
      }
      taken.add(name);
    }
  }

  #named(name: string | undefined): SupervisedWorker[] {
    if (name === undefined) return [...this.#workers.values()].flat();
    const workers = this.#workers.get(name);
    if (workers !== undefined) return [...workers];
    const known = [...this.#workers.keys()].join(', ') || 'none';
    throw new EverstepError(
      'COMPONENT_STATE',
      `There is no integration named ${shown(name)} in this WorkerManager; there are: ${known}. create() makes them known.`,
    );
  }

  #all(): SupervisedWorker[] {
    return [...this.#named(undefined), ...(this.#shared ? [this.#shared] : [])];
  }

  async #stop(): Promise<void> {
    await this.#connecting.begun();
    try {
      await Promise.all(this.#all().map((worker) => worker.stop()));
      for (const handle of this.#handles) handle.connect(undefined);
      await this.#home.close();
    } finally {
      this.#letGo?.();
      releaseTasks(this.#handles, this);
    }
  }
}

/** A few at a time: a start is work for the processor, bundling above all. */
async function inTurn<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, next));
}
