import { systemClock, systemRandom } from '../service/system-clock.ts';
import type { Store } from '../store/store.ts';
import type { Attached, Backend, StartOptions } from './backend.ts';
import { startRuntime, stopRuntime } from './runtime.ts';

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
      const runtime = await startRuntime({
        ...options,
        store,
        clock: systemClock,
        random: systemRandom,
        retentionMs,
        worker: work,
      });
      return {
        client: runtime.client,
        worker: runtime.worker,
        // Nobody takes the answers of steps any more once the store has failed.
        stop: (graceMs, drained) =>
          stopRuntime(runtime, store, store.failure === undefined ? graceMs : 0, drained),
      };
    } catch (error) {
      await store.close().catch(() => undefined);
      throw error;
    }
  }
}
