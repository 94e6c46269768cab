/** What must and must not compile of workflows. `tsc` checks this file; the runner only sees that it is here. */
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { expectTypeOf, it } from 'vitest';
import {
  activity,
  AsyncTaskComponent,
  workflow,
  type AnyWorkflow,
  type ChildWorkflowHandle,
  type Registrable,
  type StandardSchema,
  type StepContext,
  type WorkflowContext,
} from '../../src/index.ts';

interface Order {
  readonly id: string;
  readonly cents: number;
}

const charge = activity({
  name: 'charge',
  run: async (order: Order, context) => {
    expectTypeOf(context).toEqualTypeOf<StepContext>();
    return { receipt: order.id };
  },
  startToCloseTimeout: '1 minute',
  retry: { maximumAttempts: 3 },
});

async function notify(_to: string): Promise<void> {}
async function ping(): Promise<number> {
  return 1;
}

const part = workflow({ name: 'types-part' }, async (_ctx, n: number) => String(n));

const flow = workflow({ name: 'types-flow' }, async (ctx, order: Order) => {
  expectTypeOf(ctx).toEqualTypeOf<WorkflowContext>();
  const paid = await ctx.executeActivity(charge, order, { activityId: 'pay' });
  expectTypeOf(paid).toEqualTypeOf<{ receipt: string }>();
  expectTypeOf(await ctx.executeActivity(notify, 'me')).toEqualTypeOf<void>();
  expectTypeOf(await ctx.executeActivity(ping)).toEqualTypeOf<number>();
  expectTypeOf(await ctx.executeActivity<Date>('other', 1)).toEqualTypeOf<Date>();
  expectTypeOf(await ctx.step('n', () => 7)).toEqualTypeOf<number>();
  expectTypeOf(await ctx.step('s', async () => 'x')).toEqualTypeOf<string>();
  expectTypeOf(await ctx.awaitSignal<boolean>('go')).toEqualTypeOf<boolean>();
  expectTypeOf(await ctx.condition(() => true)).toEqualTypeOf<void>();
  expectTypeOf(await ctx.condition(() => true, '1h')).toEqualTypeOf<boolean>();
  const child = await ctx.startChildWorkflow(part, 1);
  expectTypeOf(child).toEqualTypeOf<ChildWorkflowHandle<string>>();
  expectTypeOf(await ctx.executeChildWorkflow(part, 1)).toEqualTypeOf<string>();
  const [one, two] = await ctx.all([ctx.step('one', () => 1), (own) => own.step('two', () => 'x')]);
  expectTypeOf(one).toEqualTypeOf<number>();
  expectTypeOf(two).toEqualTypeOf<string>();
  const first = await ctx.race([ctx.step('a', () => 1), (own) => own.awaitSignal<Date>('b')]);
  expectTypeOf(first).toEqualTypeOf<number | Date>();
  const done = await ctx
    .newSaga()
    .addStep(
      (own) => own.step('a', () => 1),
      (_own, result) => {
        expectTypeOf(result).toEqualTypeOf<number>();
      },
    )
    .addStep(() => 'x')
    .execute();
  expectTypeOf(done).toEqualTypeOf<[number, string]>();
  expectTypeOf(await ctx.shielded(async (own) => own.step('b', () => 2))).toEqualTypeOf<number>();
  if (done.length > 2) return ctx.continueAsNew(order);
  return paid.receipt;
});

const without = workflow({ name: 'types-none' }, async () => 1);

const dates: StandardSchema<string, Date> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => ({ value: new Date(String(value)) }),
  },
};

const parsed = workflow({ name: 'types-parsed', schema: { input: dates } }, async (_ctx, when) => {
  expectTypeOf(when).toEqualTypeOf<Date>();
  return when.getTime();
});

it('types what starts and what comes back', () => {
  expectTypeOf<ReturnType<typeof flow.start>>().toEqualTypeOf<
    Promise<WorkflowHandleWithFirstExecutionRunId<(input: Order) => Promise<string>>>
  >();
  expectTypeOf<Awaited<ReturnType<typeof flow.execute>>>().toEqualTypeOf<string>();
  expectTypeOf<Parameters<typeof flow.start>[0]>().toEqualTypeOf<Order>();
  expectTypeOf<Parameters<typeof parsed.start>[0]>().toEqualTypeOf<string>();
  expectTypeOf<Parameters<typeof without.start>['length']>().toEqualTypeOf<0 | 1 | 2>();
});

it('refuses what cannot be', () => {
  const refused = (ctx: WorkflowContext) => {
    // @ts-expect-error an order is no number
    void ctx.executeActivity(charge, 5);
    // @ts-expect-error an input is needed
    void ctx.executeActivity(charge);
    // @ts-expect-error no such option
    void ctx.executeActivity(charge, { id: '', cents: 1 }, { timeout: 5 });
    // @ts-expect-error a child takes a number
    void ctx.executeChildWorkflow(part, 'x');
    // @ts-expect-error a predicate answers at once
    void ctx.condition(async () => true);
    // @ts-expect-error an order is needed
    void flow.start();
    // @ts-expect-error no such option
    void flow.start({ id: '', cents: 1 }, { id: 'x' });
  };
  expectTypeOf(refused).toBeFunction();
});

it('takes any of them where any will do', () => {
  expectTypeOf(flow).toExtend<AnyWorkflow>();
  expectTypeOf(part).toExtend<Registrable>();
  expectTypeOf(charge).toExtend<Registrable>();
  const component = new AsyncTaskComponent({ store: 'memory' });
  component.registerAll([flow, part, parsed, without, charge]);
});
