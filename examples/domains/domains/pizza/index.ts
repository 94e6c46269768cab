/** Pizzas: charged, prepared, baked and delivered; refunded where that cannot be. */
import { bake, charge, deliver, prepare, refund } from './activities.ts';
import { pizzaWorkflow } from './workflow.ts';

export { TASK_QUEUE } from './task-queue.ts';

export const workflows = [pizzaWorkflow];
export const activities = [charge, refund, prepare, bake, deliver];
