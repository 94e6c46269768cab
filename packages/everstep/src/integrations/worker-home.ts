/** What all workers of a process share: the engine or the server they work on, one connection of each kind. */
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Attached, Backend, Work } from '../component/backend.ts';
import type {
  ConcurrencyOptions,
  ResolvedOptions,
  ServerOptions,
} from '../component/component-options.ts';
import { EmbeddedBackend } from '../component/embedded-backend.ts';
import { ServerBackend } from '../component/server-backend.ts';
import { storeOf } from '../component/store-of.ts';
import type { Logger } from '../service/logger.ts';
import { Once } from '../service/once.ts';
import type { TaskWorker } from '../tasks/task-worker.ts';
import { officialSdk } from './official-sdk.ts';

export interface HomeOptions extends Pick<
  ResolvedOptions,
  | 'home'
  | 'namespace'
  | 'taskQueue'
  | 'buildId'
  | 'dataConverter'
  | 'searchAttributes'
  | 'concurrency'
> {
  readonly logger: Logger;
  readonly graceMs: number;
  /** Where official workers connect, if not to what is opened here. */
  readonly officialAddress?: ServerOptions | undefined;
}

export class WorkerHome {
  readonly #options: HomeOptions;
  readonly #backend: Backend;
  readonly #opening = new Once(() => this.#open());
  #client: Client | undefined;
  readonly #native = new Once(() => this.#connect());

  /** @throws StoreError STORE_URL_INVALID. */
  constructor(options: HomeOptions) {
    this.#options = options;
    const { home } = options;
    this.#backend =
      'server' in home ? new ServerBackend(home.server) : new EmbeddedBackend(storeOf(home.store));
  }

  get description(): string {
    return this.#backend.description;
  }

  /** Why nothing can be done there any more. */
  get failure(): unknown {
    return this.#backend.failure;
  }

  /** Whether workers sit beside the engine, which matches workflow tasks by their type. */
  get isEmbedded(): boolean {
    return 'store' in this.#options.home;
  }

  /** Between open() and close(). */
  get client(): Client | undefined {
    return this.#client;
  }

  get namespace(): string {
    return this.#options.namespace;
  }

  /** For tasks that name no queue. */
  get taskQueue(): string {
    return this.#options.taskQueue;
  }

  get buildId(): string | undefined {
    return this.#options.buildId;
  }

  get dataConverter(): ResolvedOptions['dataConverter'] {
    return this.#options.dataConverter;
  }

  get concurrency(): ConcurrencyOptions {
    return this.#options.concurrency;
  }

  get logger(): Logger {
    return this.#options.logger;
  }

  get graceMs(): number {
    return this.#options.graceMs;
  }

  /** The first time; a process of official workers alone may never need it. @throws StoreError, EverstepError SERVER_UNREACHABLE, SERVER_REFUSED. */
  open(): Promise<Attached> {
    return this.#opening.get();
  }

  async addWorker(work: Work): Promise<TaskWorker> {
    return (await this.open()).addWorker(work);
  }

  /** Where official workers find it, also those of other processes. */
  async serverOptions(): Promise<ServerOptions> {
    return this.#options.officialAddress ?? (await this.open()).serverOptions();
  }

  /** One for all official workers of the process. @throws EverstepError WORKER_NOT_INSTALLED, and what connecting throws. */
  nativeConnection(): Promise<NativeConnection> {
    return this.#native.get();
  }

  /** The workers have been told to stop. */
  async close(): Promise<void> {
    const native = await this.#native.begun();
    // A worker that does not let go of it keeps it until the process ends.
    await native?.close().catch((error: unknown) => {
      this.#options.logger.warn('The connection of the official workers stays open', { error });
    });
    const attached = await this.#opening.begun();
    this.#client = undefined;
    await attached?.stop(0, () => undefined);
  }

  async #open(): Promise<Attached> {
    const { namespace, searchAttributes, dataConverter, logger } = this.#options;
    const attached = await this.#backend.start({
      namespace,
      searchAttributes,
      dataConverter,
      logger,
      work: undefined,
      addsWorkers: true,
    });
    this.#client = attached.client;
    return attached;
  }

  async #connect(): Promise<NativeConnection> {
    const { NativeConnection } = await officialSdk(this.#options.logger);
    const { address, tls, apiKey, metadata } = await this.serverOptions();
    return NativeConnection.connect({
      address,
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata }),
    } as Parameters<typeof NativeConnection.connect>[0] & object);
  }
}
