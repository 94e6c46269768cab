/**
 * The three services that an order needs, as a shop would reach them over the network. Each remembers the idempotency
 * keys it has served, as real ones do, so that a step which runs again after a crash is done once.
 */
import { ApplicationFailure } from 'everstep';

export interface Order {
  readonly id: string;
  readonly item: string;
  readonly cents: number;
  /** No carrier goes to `atlantis`. */
  readonly city: string;
  /** Refunds to `closed` fail: the account is gone. */
  readonly card: string;
}

/** What is true at the end, for whoever checks. */
export class Shop {
  readonly stock = new Map([
    ['lamp', 5],
    ['chair', 2],
  ]);
  /** Cents taken, by order. */
  readonly payments = new Map<string, number>();
  readonly parcels: string[] = [];
  readonly #served = new Map<string, string>();

  reserve({ item }: Order, idempotencyKey: string): Promise<string> {
    return this.#once(idempotencyKey, () => {
      const left = this.stock.get(item) ?? 0;
      if (left === 0) throw ApplicationFailure.nonRetryable(`${item} is sold out`);
      this.stock.set(item, left - 1);
      return item;
    });
  }

  release(item: string, idempotencyKey: string): Promise<string> {
    return this.#once(idempotencyKey, () => {
      this.stock.set(item, (this.stock.get(item) ?? 0) + 1);
      return item;
    });
  }

  charge({ id, cents }: Order, idempotencyKey: string): Promise<string> {
    return this.#once(idempotencyKey, () => {
      this.payments.set(id, cents);
      return `payment of ${id}`;
    });
  }

  refund({ id, card }: Order, idempotencyKey: string): Promise<string> {
    return this.#once(idempotencyKey, () => {
      if (card === 'closed')
        throw ApplicationFailure.nonRetryable(`the account of ${id} is closed`);
      this.payments.delete(id);
      return `refund of ${id}`;
    });
  }

  ship({ id, city }: Order, idempotencyKey: string): Promise<string> {
    return this.#once(idempotencyKey, () => {
      if (city === 'atlantis') throw ApplicationFailure.nonRetryable(`no carrier goes to ${city}`);
      this.parcels.push(id);
      return `parcel ${id} to ${city}`;
    });
  }

  async #once(idempotencyKey: string, serve: () => string): Promise<string> {
    const served = this.#served.get(idempotencyKey) ?? serve();
    this.#served.set(idempotencyKey, served);
    return served;
  }
}
