/**
 * What the pizzeria does. Each writes a line into the book with its idempotency key, and does nothing where that key is
 * in it: so an activity that runs again after a crash is done once.
 */
import { activity, ApplicationFailure, type StepContext } from 'everstep';
import { writeOnce } from './book.ts';
import type { PizzaOrder } from './pizza-order.ts';

export const charge = activity({
  name: 'charge',
  run: ({ id, cents }: PizzaOrder, { idempotencyKey }: StepContext) =>
    writeOnce(idempotencyKey, `charged ${cents} for ${id}`),
});

export const refund = activity({
  name: 'refund',
  run: ({ id, cents }: PizzaOrder, { idempotencyKey }: StepContext) =>
    writeOnce(idempotencyKey, `refunded ${cents} for ${id}`),
  // Money is owed until it is paid back.
  retry: { maximumAttempts: Infinity },
});

export const prepare = activity({
  name: 'prepare',
  run: ({ id, pizza, size }: PizzaOrder, { idempotencyKey }: StepContext) =>
    writeOnce(idempotencyKey, `prepared a ${size} ${pizza} for ${id}`),
});

export const bake = activity({
  name: 'bake',
  run: ({ id }: PizzaOrder, { attempt, idempotencyKey }: StepContext) => {
    // The oven is cold at first.
    if (attempt === 1) throw new Error('the oven is cold');
    return writeOnce(idempotencyKey, `baked ${id}`);
  },
  retry: { initialInterval: '50ms' },
});

export const deliver = activity({
  name: 'deliver',
  run: ({ id, address }: PizzaOrder, { idempotencyKey }: StepContext) => {
    if (address.includes('moon')) {
      throw ApplicationFailure.nonRetryable(`no courier goes to ${address}`);
    }
    return writeOnce(idempotencyKey, `delivered ${id} to ${address}`);
  },
});
