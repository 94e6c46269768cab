/** Runs a folder of official workflows and activities, as it is, on the official worker. */
import type { Worker, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import type { ConcurrencyOptions } from '../component/component-options.ts';
import { EverstepError } from '../service/error-codes.ts';
import type { HeldWorker } from './held-worker.ts';
import { loadModule } from './load-module.ts';
import { officialSdk, type OfficialSdk } from './official-sdk.ts';
import type { WorkerHome } from './worker-home.ts';

export interface OfficialWork {
  readonly name: string;
  readonly taskQueue: string;
  /** The module of its workflows, or what was bundled of it. Neither: activities alone. */
  readonly workflowsPath?: string | undefined;
  readonly workflowBundle?: WorkflowBundleOption | undefined;
  /** The module of its activities, or they themselves. */
  readonly activities?: string | object | undefined;
}

/** An activity that does not heed its cancellation is left behind that long after the grace period. */
const forceMs = 2_000;

export class OfficialWorker {
  readonly #work: OfficialWork;
  readonly #home: WorkerHome;
  /** Kept from start to start: bundling takes seconds. */
  #bundle: WorkflowBundleOption | undefined;

  constructor(work: OfficialWork, home: WorkerHome) {
    this.#work = work;
    this.#home = home;
    this.#bundle = work.workflowBundle;
  }

  /**
   * @throws EverstepError WORKER_NOT_INSTALLED, WORKFLOWS_NOT_BUNDLED, MODULE_LOAD_FAILED, and what the official worker
   * throws.
   */
  async launch(): Promise<HeldWorker> {
    const home = this.#home;
    const { taskQueue } = this.#work;
    const sdk = await officialSdk(home.logger);
    const activities = await this.#activities();
    const workflowBundle = await this.#bundled(sdk);
    const worker = await sdk.Worker.create({
      connection: await home.nativeConnection(),
      namespace: home.namespace,
      taskQueue,
      ...(workflowBundle && { workflowBundle }),
      ...(activities && { activities }),
      ...(home.dataConverter && { dataConverter: home.dataConverter }),
      ...(home.buildId !== undefined && { buildId: home.buildId }),
      ...slotsOf(home.concurrency),
      shutdownGraceTime: home.graceMs,
      shutdownForceTime: home.graceMs + forceMs,
    });
    return held(worker);
  }

  async #activities(): Promise<object | undefined> {
    const { activities } = this.#work;
    if (typeof activities !== 'string') return activities;
    // A module of CommonJS has all in its default export.
    const exports = await loadModule(activities);
    const whole = exports['default'];
    const all = { ...(typeof whole === 'object' ? whole : undefined), ...exports };
    return Object.fromEntries(
      Object.entries(all).filter(([name, value]) => name !== 'default' && isFunction(value)),
    );
  }

  async #bundled(sdk: OfficialSdk): Promise<WorkflowBundleOption | undefined> {
    const { workflowsPath, name } = this.#work;
    if (this.#bundle !== undefined || workflowsPath === undefined) return this.#bundle;
    const { payloadConverterPath, failureConverterPath } = this.#home.dataConverter ?? {};
    const said: string[] = [];
    try {
      this.#bundle = await sdk.bundleWorkflowCode({
        workflowsPath,
        logger: new sdk.DefaultLogger('ERROR', ({ message }) => said.push(message)),
        ...(payloadConverterPath !== undefined && { payloadConverterPath }),
        ...(failureConverterPath !== undefined && { failureConverterPath }),
      });
      return this.#bundle;
    } catch (cause) {
      const reason = said.map(reasonIn).find((found) => found !== undefined) ?? String(cause);
      throw new EverstepError(
        'WORKFLOWS_NOT_BUNDLED',
        `The workflows of "${name}" (${workflowsPath}) cannot be bundled for the official worker: ${reason}`,
        { cause },
      );
    }
  }
}

function held(worker: Worker): HeldWorker {
  const ended = worker.run();
  return {
    ended,
    get polls() {
      const { runState, workflowPollerState, activityPollerState } = worker.getStatus();
      if (runState !== 'RUNNING') return 0;
      return [workflowPollerState, activityPollerState].filter((state) => state === 'POLLING')
        .length;
    },
    get running() {
      const { numInFlightWorkflowActivations, numInFlightActivities } = worker.getStatus();
      return numInFlightWorkflowActivations + numInFlightActivities;
    },
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

function slotsOf({
  steps,
  workflowTasks,
  pollers,
  target,
}: ConcurrencyOptions): Partial<WorkerOptions> {
  // The official worker takes no fewer than two workflow tasks.
  const workflowTasksMax = workflowTasks === undefined ? undefined : Math.max(2, workflowTasks);
  const polls = pollers !== undefined && {
    maxConcurrentWorkflowTaskPolls: Math.max(2, pollers),
    maxConcurrentActivityTaskPolls: pollers,
  };
  if (target) {
    return {
      ...polls,
      tuner: {
        tunerOptions: { targetCpuUsage: target.cpu ?? 1, targetMemoryUsage: target.memory ?? 1 },
        ...(workflowTasksMax !== undefined && {
          workflowTaskSlotOptions: { maximumSlots: workflowTasksMax },
        }),
        ...(steps !== undefined && { activityTaskSlotOptions: { maximumSlots: steps } }),
      },
    };
  }
  return {
    ...polls,
    ...(steps !== undefined && { maxConcurrentActivityTaskExecutions: steps }),
    ...(workflowTasksMax !== undefined && {
      maxConcurrentWorkflowTaskExecutions: workflowTasksMax,
    }),
  };
}

/** Of what the bundler says, what follows the list of its files. */
function reasonIn(said: string): string | undefined {
  const [, reason] = /^ERROR in (.*?)(?:\n\n|$(?![\s\S]))/ms.exec(said) ?? [];
  return reason?.trim();
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
