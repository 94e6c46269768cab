/** Four orders: one that arrives, and three that go wrong in their own ways. Says what became of each. */
import { AsyncTaskComponent, type Workflow } from 'everstep';
import { orderWorkflow } from './order.ts';
import { Shop, type Order } from './shop.ts';

export interface Outcome {
  readonly outcomes: Readonly<Record<string, string>>;
  readonly shop: Shop;
}

const orders: readonly Order[] = [
  { id: 'lamp-1', item: 'lamp', cents: 4900, city: 'lisbon', card: 'visa' },
  { id: 'lamp-2', item: 'lamp', cents: 4900, city: 'atlantis', card: 'visa' },
  { id: 'boat-1', item: 'boat', cents: 99_900, city: 'lisbon', card: 'visa' },
  { id: 'chair-1', item: 'chair', cents: 12_000, city: 'atlantis', card: 'closed' },
];

export async function run(): Promise<Outcome> {
  const shop = new Shop();
  const order = orderWorkflow(shop);
  // The shop of this example lives in this process only, and so do its orders.
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.register(order);
  await component.start();
  try {
    const outcomes = await Promise.all(
      orders.map(async (one) => [one.id, await outcomeOf(order, one)] as const),
    );
    return { outcomes: Object.fromEntries(outcomes), shop };
  } finally {
    await component.stop();
  }
}

async function outcomeOf(order: Workflow<Order, string>, one: Order): Promise<string> {
  try {
    return await order.execute(one, { workflowId: `order-${one.id}` });
  } catch (error) {
    return deepest(error);
  }
}

/** The workflow's failure has a cause, and that may have one. */
function deepest(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const failure = error.cause;
  if (failure instanceof Error && failure.message.includes('undoings failed'))
    return failure.message;
  return failure === undefined ? error.message : deepest(failure);
}
