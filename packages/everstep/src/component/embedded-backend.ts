import { systemClock, systemRandom } from '../service/system-clock.ts';
import type { Store } from '../store/store.ts';
import { AddedWorkers } from './added-workers.ts';
import type { Attached, Backend, StartOptions } from './backend.ts';
import { LocalGateway } from './local-gateway.ts';
import { startRuntime, startWorker, stopRuntime } from './runtime.ts';

/** A finished task is kept that long. */
const retentionMs = 30 * 24 * 60 * 60_000;

/** The engine in this process, on a store. */
export class EmbeddedBackend implements Backend {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  get description(): string {
    return `the embedded engine, ${this.#store.description}`;
  }

  get failure(): unknown {
    return this.#store.failure;
  }

  /** @throws StoreError when the store cannot be opened. */
  async start({ work, ...options }: StartOptions): Promise<Attached> {
    const store = this.#store;
    await store.open();
    try {
      const runtimeOptions = { ...options, clock: systemClock, random: systemRandom };
      const runtime = await startRuntime({ ...runtimeOptions, store, retentionMs, worker: work });
      const { engine, client } = runtime;
      const added = new AddedWorkers();
      const gateway = new LocalGateway(engine, options.logger);
      return {
        client,
        worker: runtime.worker,
        addWorker: async (more) =>
          added.add(await startWorker(runtimeOptions, engine, client, more)),
        serverOptions: async () => ({ address: await gateway.address(), tls: false }),
        stop: async (graceMs, drained) => {
          // Nobody takes the answers of steps any more once the store has failed.
          const grace = store.failure === undefined ? graceMs : 0;
          try {
            await added.stop(grace);
          } finally {
            const closed = gateway.stop();
            await stopRuntime(runtime, store, grace, drained);
            await closed;
          }
        },
      };
    } catch (error) {
      await store.close().catch(() => undefined);
      throw error;
    }
  }
}
