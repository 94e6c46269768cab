/** How long a puller waits between two fetches: little while there is work, and longer the longer there is none. */
import { delayMs } from './pull-call.ts';
import type { PullerSettings } from './puller-options.ts';

export class PullPace {
  readonly #options: PullerSettings['polling'];
  #empty = 0;

  constructor(options: PullerSettings['polling']) {
    this.#options = options;
  }

  get intervalMs(): number {
    return delayMs(this.#options, this.#empty - this.#options.emptyPollsBeforeBackoff + 2);
  }

  /** A fetch brought so many new rows. */
  fetched(rows: number): void {
    this.#empty = rows > 0 ? 0 : this.#empty + 1;
  }
}
