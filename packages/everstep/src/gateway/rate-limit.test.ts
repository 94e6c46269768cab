import { expect, it } from 'vitest';
import { isServiceError } from '../service/service-error.ts';
import { RateLimit } from './rate-limit.ts';
import type { Rates } from './rate-limit.ts';

class Limited {
  now = 0;
  readonly #limit: RateLimit;

  constructor(rates: Partial<Rates>) {
    this.#limit = new RateLimit(
      { perSecond: 0, perNamespaceAndSecond: 0, ...rates },
      () => this.now,
    );
  }

  /** How many of so many calls are taken. */
  taken(calls: number, namespace?: string): number {
    let count = 0;
    for (let call = 0; call < calls; call += 1) {
      try {
        this.#limit.take(namespace);
        count += 1;
      } catch (error) {
        if (!isServiceError(error, 'RESOURCE_EXHAUSTED')) throw error;
      }
    }
    return count;
  }
}

it('takes the calls of a second at once, and then as they become free', () => {
  const limited = new Limited({ perSecond: 10 });
  expect(limited.taken(20)).toBe(10);
  limited.now += 250;
  expect(limited.taken(20)).toBe(2);
  limited.now += 60_000;
  expect(limited.taken(20)).toBe(10);
});

it('keeps the namespaces apart, and all of them within the whole', () => {
  const limited = new Limited({ perSecond: 15, perNamespaceAndSecond: 10 });
  expect(limited.taken(20, 'a')).toBe(10);
  expect(limited.taken(20, 'b')).toBe(5);
});

it('takes less than one call a second', () => {
  const limited = new Limited({ perNamespaceAndSecond: 0.5 });
  expect(limited.taken(2, 'a')).toBe(1);
  limited.now += 1_000;
  expect(limited.taken(2, 'a')).toBe(0);
  limited.now += 1_000;
  expect(limited.taken(2, 'a')).toBe(1);
});

it('takes everything without a limit', () => {
  expect(new Limited({}).taken(1_000, 'a')).toBe(1_000);
});

it('forgets names that callers make up', () => {
  const limited = new Limited({ perNamespaceAndSecond: 1 });
  for (let name = 0; name < 25_000; name += 1) limited.taken(1, `made-up-${name}`);
  expect(limited.taken(2, 'a')).toBe(1);
});
