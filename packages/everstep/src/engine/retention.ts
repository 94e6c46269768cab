/** Deletes closed runs whose time is over, a small batch at a time so that nothing else waits. */
import type { Clock } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import type { Store } from '../store/store.ts';

const everyMs = 60_000;
const batchRuns = 100;

export class Retention {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #nextAt = 0;

  constructor(options: { readonly store: Store; readonly clock: Clock; readonly logger: Logger }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  /** One batch; the next call goes on when there was more, and waits a minute when not. */
  async sweep(): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#nextAt) return;
    try {
      const refs = await this.#store.runs.expired({ now, limit: batchRuns });
      if (refs.length > 0) await this.#store.runs.delete({ refs });
      if (refs.length < batchRuns) this.#nextAt = now + everyMs;
    } catch (error) {
      this.#logger.error('Expired runs could not be deleted; trying again', { error });
      this.#nextAt = now + everyMs;
    }
  }
}
