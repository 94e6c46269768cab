/**
 * How many calls a second are taken, of all callers and of each namespace. A bucket holds the calls of one second, so
 * that as many may come at once; what comes over it is refused, and clients try again by themselves.
 */
import { ServiceError } from '../service/service-error.ts';

export interface Rates {
  /** 0 = without limit. */
  readonly perSecond: number;
  readonly perNamespaceAndSecond: number;
}

interface Bucket {
  left: number;
  filledAt: number;
}

/** Names come from callers: no more are remembered, and a bucket that is full need not be. */
const namespacesMax = 10_000;

export class RateLimit {
  readonly #rates: Rates;
  readonly #now: () => number;
  readonly #all: Bucket;
  readonly #namespaces = new Map<string, Bucket>();

  /** `now` is in milliseconds and never goes back. */
  constructor(rates: Rates, now: () => number) {
    this.#rates = rates;
    this.#now = now;
    this.#all = { left: Math.max(1, rates.perSecond), filledAt: now() };
  }

  /** @throws ServiceError RESOURCE_EXHAUSTED. */
  take(namespace: string | undefined): void {
    const { perSecond, perNamespaceAndSecond } = this.#rates;
    if (perNamespaceAndSecond > 0 && namespace) {
      const bucket = this.#bucketOf(namespace);
      if (!this.#takeFrom(bucket, perNamespaceAndSecond)) {
        throw exhausted(`namespace rate limit exceeded (${perNamespaceAndSecond} calls a second)`);
      }
    }
    if (perSecond > 0 && !this.#takeFrom(this.#all, perSecond)) {
      throw exhausted(`service rate limit exceeded (${perSecond} calls a second)`);
    }
  }

  #bucketOf(namespace: string): Bucket {
    const known = this.#namespaces.get(namespace);
    if (known) return known;
    if (this.#namespaces.size >= namespacesMax) this.#forgetFull();
    const rate = this.#rates.perNamespaceAndSecond;
    const bucket = { left: Math.max(1, rate), filledAt: this.#now() };
    this.#namespaces.set(namespace, bucket);
    return bucket;
  }

  #forgetFull(): void {
    const second = this.#now() - 1_000;
    for (const [name, { filledAt }] of this.#namespaces) {
      if (filledAt <= second) this.#namespaces.delete(name);
    }
    // All of them are in use, which only names that are made up can be.
    if (this.#namespaces.size >= namespacesMax) this.#namespaces.clear();
  }

  #takeFrom(bucket: Bucket, rate: number): boolean {
    const now = this.#now();
    const gained = ((now - bucket.filledAt) / 1_000) * rate;
    bucket.left = Math.min(Math.max(1, rate), bucket.left + gained);
    bucket.filledAt = now;
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
}

function exhausted(message: string): ServiceError {
  return new ServiceError({
    code: 'RESOURCE_EXHAUSTED',
    message,
    detail: { kind: 'resourceExhausted', cause: 'rps' },
  });
}
