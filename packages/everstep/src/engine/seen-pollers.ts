/** Who has polled a queue of late, for those who look into it. */

export interface SeenPoller {
  readonly identity: string;
  readonly at: number;
  /** How many tasks a second it asks for at most. */
  readonly ratePerSecond: number;
}

/** As Temporal's server. */
const keptMs = 300_000;
/** Identities are the callers' words: they may be new ones each time. */
const keptMax = 1_000;
/** What a worker that says nothing asks for, by Temporal's server. */
export const ratePerSecondDefault = 100_000;

export class SeenPollers {
  /** The one that polled last stands last. */
  readonly #pollers = new Map<string, SeenPoller>();

  note(poller: SeenPoller): void {
    this.#pollers.delete(poller.identity);
    this.#pollers.set(poller.identity, poller);
    for (const [identity, { at }] of this.#pollers) {
      if (this.#pollers.size <= keptMax && poller.at - at < keptMs) break;
      this.#pollers.delete(identity);
    }
  }

  /** The latest first. */
  list(now: number): readonly SeenPoller[] {
    return [...this.#pollers.values()].filter(({ at }) => now - at < keptMs).toReversed();
  }
}
