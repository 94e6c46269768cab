import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { ReplayedWorkflow } from '../../test/histories/replayed-workflow.ts';
import { activity } from './activity.ts';
import type { WorkflowContext } from './workflow-context.ts';

const nothing = () => undefined;
async function charge(amount: number): Promise<string> {
  return `charged ${amount}`;
}

describe('a workflow with a context', () => {
  it('takes each answer from the history, and is the same from every prefix of it', async () => {
    const run = new ReplayedWorkflow(
      async (ctx, input: { name: string }) => {
        const first = await ctx.step('first', () => 'a');
        await ctx.sleep('1h');
        const second = await ctx.executeActivity(charge, 5);
        return `${input.name} ${first} ${second}`;
      },
      { name: 'me' },
    );
    expect(await run.turn()).toEqual(['schedule first']);
    expect(await run.turn((h) => h.stepCompleted('first', 'a'))).toEqual(['start timer sleep#1']);
    expect(await run.turn((h) => h.timerFired('sleep#1'))).toEqual(['schedule charge:1']);
    expect(await run.turn((h) => h.stepCompleted('charge:1', 'b'))).toEqual(['complete "me a b"']);
    expect(await run.differences()).toEqual([]);
  });

  it('ends a race of a sleep, a signal and a step as it ended the first time', async () => {
    const race = async (ctx: WorkflowContext) => {
      const order: string[] = [];
      const note = async (name: string, promise: Promise<unknown>) => {
        await promise;
        order.push(name);
        return name;
      };
      const winner = await Promise.race([
        note('sleep', ctx.sleep('1m')),
        note('signal', ctx.awaitSignal('go')),
        note('step', ctx.step('work', nothing)),
      ]);
      await ctx.step(`after ${winner}`, nothing);
      return order;
    };
    const happenings = [
      (h: ReplayedWorkflow['history']) => h.timerFired('sleep#1'),
      (h: ReplayedWorkflow['history']) => h.signal('go', 1),
      (h: ReplayedWorkflow['history']) => h.stepCompleted('work', 0),
    ];
    const names = ['sleep', 'signal', 'step'];
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const run = new ReplayedWorkflow(race);
      await run.turn();
      // All three in one workflow task: the order of the history decides, not that of the code.
      const said = await run.turn((h) => {
        for (const at of order) happenings[at]?.(h);
      });
      const winner = names[order[0] ?? 0];
      expect(said).toEqual([`schedule after ${winner}`]);
      expect(await run.turn((h) => h.stepCompleted(`after ${winner}`, 0))).toEqual([
        `complete ${JSON.stringify(order.map((at) => names[at]))}`,
      ]);
      expect(await run.differences()).toEqual([]);
    }
  });

  it('runs the microtasks dry between two events', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const seen: string[] = [];
      const slow = async () => {
        await ctx.awaitSignal('a');
        for (let at = 0; at < 50; at += 1) await Promise.resolve();
        seen.push('a');
      };
      const quick = async () => {
        await ctx.awaitSignal('b');
        seen.push('b');
      };
      await Promise.all([slow(), quick()]);
      return seen;
    });
    await run.turn();
    expect(
      await run.turn((h) => {
        h.signal('a', 0);
        h.signal('b', 0);
      }),
    ).toEqual(['complete ["a","b"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('fails with what its code throws, and gives it the failure of an activity', async () => {
    const caught: unknown[] = [];
    const run = new ReplayedWorkflow(async (ctx) => {
      try {
        await ctx.executeActivity(charge, 1, { retry: { maximumAttempts: 1 } });
      } catch (error) {
        const { cause } = error as ActivityFailure;
        caught.push(error, cause);
        throw ApplicationFailure.nonRetryable(`no: ${cause?.message}`);
      }
      return 1;
    });
    await run.turn();
    expect(await run.turn((h) => h.stepFailed('charge:1', 'declined'))).toEqual([
      'fail no: declined',
    ]);
    expect(caught).toEqual([expect.any(ActivityFailure), expect.any(ApplicationFailure)]);
    expect(await run.differences()).toEqual([]);
  });

  it('numbers the calls of an activity, and takes an activityId as a key', async () => {
    const pay = activity({ name: 'pay', run: charge, startToCloseTimeout: '1m' });
    const run = new ReplayedWorkflow(async (ctx) => {
      const all = [1, 2, 3].map((amount) => ctx.executeActivity(pay, amount));
      all.push(ctx.executeActivity(pay, 4, { activityId: 'mine' }));
      return Promise.all(all);
    });
    expect(await run.turn()).toEqual([
      'schedule pay:1',
      'schedule pay:2',
      'schedule pay:3',
      'schedule mine',
    ]);
    expect(
      await run.turn((h) => {
        h.stepCompleted('mine', 'd');
        h.stepCompleted('pay:2', 'b');
        h.stepCompleted('pay:1', 'a');
        h.stepCompleted('pay:3', 'c');
      }),
    ).toEqual(['complete ["a","b","c","d"]']);
    expect(await run.differences()).toEqual([]);
  });
});

describe('cancelling', () => {
  it('rejects what is awaited, cancels it, and ends as cancelled', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await ctx.step('long', nothing);
    });
    expect(await run.turn()).toEqual(['schedule long']);
    expect(await run.turn((h) => h.requestCancel())).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('lets clean-up run in a shield, and refuses what is asked outside of one', async () => {
    const seen: unknown[] = [];
    const run = new ReplayedWorkflow(async (ctx) => {
      try {
        await ctx.step('long', nothing);
      } catch (error) {
        const refused = await ctx.step('refused', nothing).catch((cause: unknown) => cause);
        seen.push(error, ctx.cancelled.aborted, refused);
        await ctx.shielded(async (own) => {
          seen.push(own.cancelled.aborted);
          await own.step('clean up', nothing);
          await own.sleep('1m');
        });
        throw error;
      }
    });
    await run.turn();
    expect(await run.turn((h) => h.requestCancel())).toEqual(['schedule clean up', 'cancel 5']);
    const cancelled = expect.any(CancelledFailure);
    expect(seen).toEqual([cancelled, true, cancelled, false]);
    expect(await run.turn((h) => h.stepCompleted('clean up', 0))).toEqual(['start timer sleep#1']);
    expect(await run.turn((h) => h.timerFired('sleep#1'))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });
});
