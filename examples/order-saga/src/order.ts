/** An order: reserve, charge, ship. What was done is undone in reverse when a later step fails for good. */
import { activity, workflow, type Workflow } from 'everstep';
import type { Order, Shop } from './shop.ts';

export function orderWorkflow(shop: Shop): Workflow<Order, string> {
  const charge = activity({
    name: 'charge',
    run: (order: Order, { idempotencyKey }) => shop.charge(order, idempotencyKey),
    startToCloseTimeout: '10 seconds',
  });
  const refund = activity({
    name: 'refund',
    run: (order: Order, { idempotencyKey }) => shop.refund(order, idempotencyKey),
    retry: { maximumAttempts: 10 },
  });

  return workflow({ name: 'order' }, async (ctx, order: Order) => {
    const [, , parcel] = await ctx
      .newSaga()
      .addStep(
        (own) => own.step('reserve', ({ idempotencyKey }) => shop.reserve(order, idempotencyKey)),
        (own, item) =>
          own.step('release', ({ idempotencyKey }) => shop.release(item, idempotencyKey)),
      )
      .addStep(
        (own) => own.executeActivity(charge, order),
        (own) => own.executeActivity(refund, order),
      )
      .addStep((own) => own.step('ship', ({ idempotencyKey }) => shop.ship(order, idempotencyKey)))
      .execute();
    return parcel;
  });
}
