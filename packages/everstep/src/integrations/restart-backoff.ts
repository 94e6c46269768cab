/** How long until what ended is started again: longer each time, and from the beginning once it has run well. */

export interface RestartOptions {
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
  /** What ran that long counts as well, and its end as the first. */
  readonly resetAfterMs: number;
}

export class RestartBackoff {
  readonly #options: RestartOptions;
  #failures = 0;

  constructor(options: RestartOptions) {
    this.#options = options;
  }

  /** Of one that has ended after that long; 0 for one that could not start. */
  delayAfter(ranMs: number): number {
    const { firstDelayMs, delayMsMax, resetAfterMs } = this.#options;
    if (ranMs >= resetAfterMs) this.#failures = 0;
    const delayMs = Math.min(delayMsMax, firstDelayMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return delayMs;
  }
}
