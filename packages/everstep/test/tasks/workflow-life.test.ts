import { describe, expect, it } from 'vitest';
import { activity, workflow } from '../../src/index.ts';
import { running, storeKinds } from './running-component.ts';

async function greet(name: string): Promise<string> {
  return `hello ${name}`;
}

describe.each(storeKinds)('a workflow on %s', (kind) => {
  it('runs activities, steps and sleeps from its start to its result', async () => {
    const double = activity({ name: 'double', run: async (n: number) => n * 2 });
    const flow = workflow({ name: 'sum' }, async (ctx, input: { n: number }) => {
      const doubled = await ctx.executeActivity(double, input.n);
      await ctx.sleep(1);
      const greeting = await ctx.executeActivity(greet, 'you');
      const date = await ctx.step('when', () => new Date(0));
      return { doubled, greeting, date: String(date) };
    });
    await running(kind, [flow]);
    const handle = await flow.start({ n: 21 }, { workflowId: 'sum-1' });
    expect(handle.workflowId).toBe('sum-1');
    expect(await handle.result()).toEqual({
      doubled: 42,
      greeting: 'hello you',
      // What a step gives is what its payload decodes to: JSON has no dates.
      date: '1970-01-01T00:00:00.000Z',
    });
    expect(await flow.execute({ n: 1 })).toMatchObject({ doubled: 2 });
  });
});
