/** What is ordered. It is checked where it is started, so that no worker sees an order that cannot be. */
import { z } from 'zod';

export const PizzaOrder = z.strictObject({
  id: z.string().min(1).max(100),
  pizza: z.enum(['margherita', 'funghi', 'diavola']),
  size: z.enum(['small', 'large']).default('small'),
  cents: z.int().positive(),
  address: z.string().min(3),
});

export type PizzaOrder = z.infer<typeof PizzaOrder>;
