/**
 * Backpressure: how many more rows a queue takes before its backlog is at the limit. What was started since the count
 * is added to it, so that a limit holds between two counts.
 */
import type { Clock } from '../service/clock.ts';
import type { PullerSettings } from './puller-options.ts';

export interface BacklogGateOptions {
  readonly clock: Clock;
  /** Undefined: no limit. */
  readonly limit: PullerSettings['backpressure'];
  readonly backlog: (signal: AbortSignal) => Promise<number>;
}

export class BacklogGate {
  readonly #options: BacklogGateOptions;
  #count: number | undefined;
  #countedAt = -Infinity;
  #startedSince = 0;

  constructor(options: BacklogGateOptions) {
    this.#options = options;
  }

  /** As last counted. */
  get count(): number | undefined {
    return this.#count;
  }

  /** Rows that may be started now. @throws what counting throws. */
  async room(signal: AbortSignal): Promise<number> {
    const { limit, clock } = this.#options;
    if (limit === undefined) return Infinity;
    const isOld = Math.abs(clock.now() - this.#countedAt) >= limit.checkIntervalMs;
    // Workers may have taken what was started since; a count that had nothing added would say the same again.
    if (isOld || (this.#left(limit) <= 0 && this.#startedSince > 0)) await this.#take(signal);
    return Math.max(0, this.#left(limit));
  }

  started(): void {
    this.#startedSince += 1;
  }

  #left({ maxBacklog }: { readonly maxBacklog: number }): number {
    return maxBacklog - (this.#count ?? 0) - this.#startedSince;
  }

  async #take(signal: AbortSignal): Promise<void> {
    this.#count = await this.#options.backlog(signal);
    this.#countedAt = this.#options.clock.now();
    this.#startedSince = 0;
  }
}
