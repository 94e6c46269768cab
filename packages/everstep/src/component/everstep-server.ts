/** A server: the embedded engine over a store, and the gateway before it. What `everstep server` starts and stops. */
import Long from 'long';
import { createEngine, type Engine, type EngineOptions } from '../engine/engine.ts';
import type { AttributeType } from '../engine/search-attributes.ts';
import { Gateway, type GatewayOptions, type GatewayTls } from '../gateway/gateway.ts';
import { Listener } from '../gateway/listener.ts';
import type { Logger } from '../service/logger.ts';
import { isServiceError } from '../service/service-error.ts';
import { systemClock, systemRandom } from '../service/system-clock.ts';
import type { Metrics } from '../observability/metrics.ts';
import { measuredStore } from '../observability/measured-store.ts';
import { ApiKeys } from '../security/api-keys.ts';
import type { Store } from '../store/store.ts';
import { hostId, isPidAlive } from './host-id.ts';
import { registerAttributes } from './register-attributes.ts';
import { storeOf, type StoreOption } from './store-of.ts';

export interface EverstepServerOptions {
  /** `'memory'`, `'sqlite:<path>'`, `'postgres://…'`, `'mysql://…'`, a pool, or a store object. */
  readonly store: StoreOption;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** For who listens there already. */
  readonly listener?: Listener;
  /** Made where they do not exist; at least one. */
  readonly namespaces: readonly string[];
  /** Custom search attributes of each of them, by name. */
  readonly searchAttributes?: Readonly<Record<string, AttributeType>>;
  /** How long closed runs of new namespaces are kept. */
  readonly retentionMs: number;
  readonly limits?: EngineOptions['limits'];
  readonly coreLimits?: EngineOptions['coreLimits'];
  readonly requestBytesMax?: number;
  readonly rates?: GatewayOptions['rates'];
  readonly tls?: GatewayTls;
  /** The text of a key file (security/api-keys.ts); without it everybody may do everything. */
  readonly apiKeys?: string;
  /** Told of every call of the service and of the store. */
  readonly metrics?: Metrics;
  readonly logger: Logger;
}

/** Calls that wait are answered at once when the engine stops; this is for those that write. */
const graceMs = 5_000;

export class EverstepServer {
  readonly #options: EverstepServerOptions;
  readonly #store: Store;
  readonly #keys: ApiKeys | undefined;
  #engine: Engine | undefined;
  #gateway: Gateway | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws StoreError STORE_URL_INVALID; EverstepError API_KEYS_INVALID. */
  constructor(options: EverstepServerOptions) {
    this.#options = options;
    this.#keys = options.apiKeys === undefined ? undefined : new ApiKeys(options.apiKeys);
    const { metrics } = options;
    const store = storeOf(options.store);
    this.#store = metrics ? measuredStore(store, metrics.storeCall.bind(metrics)) : store;
  }

  /** For people: 'SQLite file shop.db'. */
  get storeDescription(): string {
    return this.#store.description;
  }

  /**
   * Resolves with the port it listens on.
   *
   * @throws StoreError when the store cannot be opened; EverstepError GATEWAY_ADDRESS, GATEWAY_TLS.
   */
  async start(): Promise<number> {
    await this.#store.open();
    try {
      const options = this.#options;
      const engine = this.#makeEngine();
      this.#engine = engine;
      await engine.start();
      await this.#prepareNamespaces(engine);
      this.#gateway = new Gateway({
        service: engine.service,
        operator: engine.operator,
        logger: options.logger,
        listener: options.listener ?? new Listener(options.host, options.port),
        ...(options.tls && { tls: options.tls }),
        ...(this.#keys && { authorize: this.#keys.authorize.bind(this.#keys) }),
        ...(options.rates && { rates: options.rates }),
        ...(options.metrics && { watchCall: options.metrics.call.bind(options.metrics) }),
        ...(options.requestBytesMax !== undefined && { requestBytesMax: options.requestBytesMax }),
      });
      return await this.#gateway.start();
    } catch (error) {
      await this.#engine?.stop().catch(() => undefined);
      await this.#store.close().catch(() => undefined);
      throw error;
    }
  }

  /** Takes no more calls, ends those that wait, writes what is under way, and closes the store. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const closed = this.#gateway?.stop(graceMs);
    try {
      await this.#engine?.stop();
      await closed;
    } finally {
      await this.#store.close();
    }
  }

  #makeEngine(): Engine {
    const { logger, namespaces, retentionMs, limits, coreLimits } = this.#options;
    return createEngine({
      store: this.#store,
      clock: systemClock,
      random: systemRandom,
      hostId: hostId(),
      pid: process.pid,
      isPidAlive,
      logger,
      defaultNamespace: namespaces[0] ?? 'default',
      retentionMs,
      acts: true,
      ...(limits && { limits }),
      ...(coreLimits && { coreLimits }),
    });
  }

  async #prepareNamespaces(engine: Engine): Promise<void> {
    const { namespaces, searchAttributes = {}, retentionMs } = this.#options;
    for (const namespace of namespaces) {
      try {
        await engine.service.registerNamespace({
          namespace,
          workflowExecutionRetentionPeriod: {
            seconds: Long.fromNumber(Math.ceil(retentionMs / 1000)),
          },
        });
      } catch (error) {
        if (!isServiceError(error, 'ALREADY_EXISTS')) throw error;
      }
      await registerAttributes(engine.operator, namespace, searchAttributes);
    }
  }
}
