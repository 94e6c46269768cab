/** One order. What was done is undone in reverse when a later step fails for good. */
import { workflow } from 'everstep';
import { bake, charge, deliver, prepare, refund } from './activities.ts';
import { PizzaOrder } from './pizza-order.ts';
import { TASK_QUEUE } from './task-queue.ts';

export const pizzaWorkflow = workflow(
  { name: 'pizza', taskQueue: TASK_QUEUE, schema: { input: PizzaOrder } },
  async (ctx, order) => {
    const results = await ctx
      .newSaga()
      .addStep(
        (own) => own.executeActivity(charge, order),
        (own) => own.executeActivity(refund, order),
      )
      .addStep((own) => own.executeActivity(prepare, order))
      .addStep((own) => own.executeActivity(bake, order))
      .addStep((own) => own.executeActivity(deliver, order))
      .execute();
    return results[3];
  },
);
