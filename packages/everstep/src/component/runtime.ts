/** An engine on an open store, its client, and the worker on it: what every component is made of, its start and its end. */
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { createEngine, type Engine, type EngineOptions } from '../engine/engine.ts';
import type { AttributeType } from '../engine/search-attributes.ts';
import type { Clock, Random } from '../service/clock.ts';
import { inProcessConnection } from '../service/connection.ts';
import type { Logger } from '../service/logger.ts';
import { processLoad } from '../service/process-load.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import type { Store } from '../store/store.ts';
import type { TaskWorkerOptions } from '../tasks/task-worker-options.ts';
import { TaskWorker } from '../tasks/task-worker.ts';
import type { ConcurrencyOptions } from './component-options.ts';
import { hostId, isPidAlive } from './host-id.ts';
import { registerAttributes } from './register-attributes.ts';

/** What a worker of the runtime runs. */
export interface RuntimeWork extends Pick<
  TaskWorkerOptions,
  'tasks' | 'activities' | 'taskQueue' | 'buildId' | 'stepsApart' | 'callInstead' | 'liveRunsMax'
> {
  readonly concurrency?: ConcurrencyOptions;
  /** Who hands the worker its work; undefined = it polls. By default the engine. */
  readonly localOf?: (engine: Engine) => TaskWorkerOptions['local'];
}

export interface RuntimeOptions {
  /** Open. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly namespace: string;
  readonly retentionMs: EngineOptions['retentionMs'];
  /** Registered at start. */
  readonly searchAttributes?: Readonly<Record<string, AttributeType>> | undefined;
  readonly dataConverter?: DataConverter | undefined;
  /** Of the client and the worker; the official client's own by default: pid and host. */
  readonly identity?: string;
  /** None: this process submits and reads, unless it `addsWorkers`. */
  readonly worker?: RuntimeWork | undefined;
  /** Workers are added later. */
  readonly addsWorkers?: boolean | undefined;
  /** What clients speak to, in the place of the engine's own service. */
  readonly serviceOf?: (engine: Engine) => WorkflowService;
  /** `createEngine` by default. */
  readonly makeEngine?: (options: EngineOptions) => Engine;
}

export interface Runtime {
  readonly engine: Engine;
  readonly client: Client;
  readonly worker: TaskWorker | undefined;
}

/** @throws what the store throws; the engine is stopped then, and the store is left open. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { store, clock, random, logger, namespace, retentionMs, dataConverter } = options;
  const engine = (options.makeEngine ?? createEngine)({
    store,
    clock,
    random,
    hostId: hostId(),
    pid: process.pid,
    isPidAlive,
    logger,
    defaultNamespace: namespace,
    retentionMs,
    acts: options.worker !== undefined || options.addsWorkers === true,
  });
  await engine.start();
  try {
    await registerAttributes(engine.operator, namespace, options.searchAttributes ?? {});
    const service = options.serviceOf?.(engine) ?? engine.service;
    const client = new Client({
      connection: inProcessConnection(service, clock),
      namespace,
      ...(dataConverter !== undefined && { dataConverter }),
      ...(options.identity !== undefined && { identity: options.identity }),
    });
    const worker = options.worker && (await startWorker(options, engine, client, options.worker));
    return { engine, client, worker };
  } catch (error) {
    await engine.stop().catch(() => undefined);
    throw error;
  }
}

/** Drains the worker, then stops the engine, then closes the store: the later ones also when an earlier one fails. */
export async function stopRuntime(
  { worker, engine }: Pick<Runtime, 'worker' | 'engine'>,
  store: Store,
  graceMs: number,
  drained: () => void = () => undefined,
): Promise<void> {
  try {
    await worker?.stop(graceMs);
  } finally {
    drained();
    try {
      await engine.stop();
    } finally {
      await store.close();
    }
  }
}

/** One worker on a runtime's engine. */
export async function startWorker(
  options: Pick<RuntimeOptions, 'clock' | 'random' | 'logger' | 'namespace'>,
  engine: Engine,
  client: Client,
  { localOf, ...work }: RuntimeWork,
): Promise<TaskWorker> {
  const { clock, random, logger, namespace } = options;
  const { identity, loadedDataConverter } = client.options;
  const local = localOf ? localOf(engine) : engine.service;
  const worker = new TaskWorker({
    ...work,
    identity,
    service: engine.service,
    ...(local !== undefined && { local }),
    ...(work.concurrency?.target && { sampleLoad: processLoad() }),
    namespace,
    clock,
    random,
    logger,
    dataConverter: loadedDataConverter,
  });
  await worker.start();
  return worker;
}
