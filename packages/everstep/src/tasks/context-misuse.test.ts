import { describe, expect, it } from 'vitest';
import { ReplayedWorkflow } from '../../test/histories/replayed-workflow.ts';
import { answerContextQuery } from './context-queries.ts';
import { workflow } from './workflow.ts';
import type { WorkflowContext } from './workflow-context.ts';

const nothing = () => undefined;
const child = workflow({ name: 'child' }, async (_ctx, n: number) => n);

describe('promises that nobody awaits', () => {
  it('do no harm when they are rejected, nor what is derived from them', async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => {
      unhandled.push(error);
    };
    process.on('unhandledRejection', listen);
    try {
      const run = new ReplayedWorkflow(async (ctx) => {
        void ctx.step('loose', nothing);
        void ctx.step('derived', nothing).then(() => 'x');
        void ctx.sleep('1h').then((value) => value, undefined);
        void ctx.race([ctx.step('raced', nothing)]);
        void ctx.shielded(async (own) => own.step('shielded', nothing));
        void ctx.executeChildWorkflow(child, 1);
        await ctx.awaitSignal('end');
      });
      await run.turn();
      await run.turn((h) => {
        h.stepFailed('loose', 'broke');
        h.stepFailed('derived', 'broke');
        h.stepFailed('raced', 'broke');
        h.stepFailed('shielded', 'broke');
        h.childStarted('flow-1/child:1');
        h.childFailed('flow-1/child:1', 'broke');
      });
      expect(await run.turn((h) => h.requestCancel())).toEqual(['cancel the run']);
      expect(await run.differences()).toEqual([]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });
});

describe('code that awaits something else', () => {
  it('is named with its last key and line, and the run is unharmed', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await ctx.step('fetch', nothing);
      await new Promise(() => undefined);
    });
    await run.turn();
    const turn = run.turn((h) => h.stepCompleted('fetch', 0));
    await new Promise((resolve) => setImmediate(resolve));
    run.run.breakDownStalled(1000);
    await expect(turn).rejects.toThrow(
      /^Workflow "flow" awaits something that is no promise of its context, after the key "fetch", at .*context-misuse\.test\.ts:\d+:\d+, since 1000 ms\./,
    );
  });

  it('goes on when it comes back in time', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await new Promise((resolve) => setImmediate(resolve));
      await ctx.step('late', nothing);
      await new Promise((resolve) => setImmediate(resolve));
      return 'done';
    });
    expect(await run.turn()).toEqual(['schedule late']);
    expect(await run.turn((h) => h.stepCompleted('late', 0))).toEqual(['complete "done"']);
  });

  it('is refused when it comes back while no event is applied', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const elsewhere = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        await ctx.step('elsewhere', nothing);
      };
      await Promise.all([ctx.sleep('1h'), elsewhere()]);
    });
    expect(await run.turn()).toEqual(['start timer sleep#1']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(run.run.broken?.message).toMatch(
      /^Workflow "flow" asked for step "elsewhere" while no event of its history was applied, after the key "sleep#1".*it had awaited something that is no promise of its context/,
    );
    expect(run.logged).toEqual([expect.stringContaining('error: Workflow "flow" asked for step')]);
  });
});

describe('code that does not fit its history', () => {
  const before = async (ctx: WorkflowContext) => {
    await ctx.step('one', nothing);
    await ctx.executeActivity('charge', 1);
    await ctx.executeChildWorkflow('child', 1, { workflowId: 'kid' });
  };

  async function lived(): Promise<ReplayedWorkflow> {
    const run = new ReplayedWorkflow(before);
    await run.turn();
    await run.turn((h) => h.stepCompleted('one', 0));
    await run.turn((h) => h.stepCompleted('charge:1', 0));
    return run;
  }

  it.each([
    [
      'another kind',
      async (ctx: WorkflowContext) => ctx.sleep(1, { key: 'one' }),
      /at .*context-misuse\.test\.ts:\d+:\d+: The key "one" is a sleep in the code, but in event 5 of the history \(ActivityTaskScheduled\) it is a step/,
    ],
    [
      'another type of activity',
      async (ctx: WorkflowContext) => ctx.executeActivity('refund', 1, { activityId: 'charge:1' }),
      /The key "charge:1" is an activity of type "refund" in the code, but in event 11 of the history \(ActivityTaskScheduled\) it is of type "charge"/,
    ],
    [
      'another child',
      async (ctx: WorkflowContext) => ctx.executeChildWorkflow('cousin', 1, { workflowId: 'kid' }),
      /The child "kid" is of workflow type "cousin" in the code, but in event 17 of the history \(StartChildWorkflowExecutionInitiated\) it is of type "child"/,
    ],
  ])('is told the key, the event and its type: %s', async (_, after, message) => {
    const run = await lived();
    await expect(run.crash(after)).rejects.toThrow(message);
  });
});

describe('misuse of the context', () => {
  const cases: readonly [string, (ctx: WorkflowContext) => unknown, RegExp][] = [
    ['a key that is no text', (ctx) => ctx.step(5 as never, nothing), /A key is of type number/],
    ['a key with #', (ctx) => ctx.step('a#1', nothing), /The key "a#1" holds "#"/],
    [
      'no call',
      (ctx) => ctx.step('a', 7 as never),
      /The call of step "a" is 7; expected a function/,
    ],
    [
      'an unknown option of a step',
      (ctx) => ctx.step('a', nothing, { retry: 1 } as never),
      /Step "a" of workflow "flow": retry is no field of it; expected retryPolicy, timeouts, shielded/,
    ],
    [
      'an unknown option of an activity',
      (ctx) => ctx.executeActivity('charge', 1, { timeout: '1m' } as never),
      /Activity "charge": timeout is no field of it; expected startToCloseTimeout/,
    ],
    [
      'an option in the wrong unit',
      (ctx) => ctx.executeActivity('charge', 1, { startToCloseTimeout: 'soon' as never }),
      /Activity "charge": startToCloseTimeout is "soon"; expected more than 0/,
    ],
    [
      'a retry that cannot be',
      (ctx) => ctx.executeActivity('charge', 1, { retry: { maximumAttempts: -1 } }),
      /Activity "charge": retry\.maximumAttempts is -1; expected a whole number/,
    ],
    [
      'an interval that cannot be',
      (ctx) => ctx.executeActivity('charge', 1, { retry: { initialInterval: 'x' as never } }),
      /Activity "charge": retry\.initialInterval is "x"; expected/,
    ],
    [
      'a function without a name',
      (ctx) =>
        ctx.executeActivity(
          (
            () => async () =>
              1
          )(),
        ),
      /executeActivity was given a function without a name.*use activity\({ name, run }\)/,
    ],
    [
      'no activity',
      (ctx) => ctx.executeActivity(3 as never),
      /executeActivity was given 3; expected/,
    ],
    ['a span that is none', (ctx) => ctx.sleep('soon' as never), /The duration of sleep is "soon"/],
    [
      'a predicate that is async',
      (ctx) => ctx.condition((async () => true) as never),
      /The predicate of a condition returned a promise; expected true or false/,
    ],
    [
      'no predicate',
      (ctx) => ctx.condition(true as never),
      /The predicate of a condition is true; expected a function/,
    ],
    ['no name of a signal', (ctx) => ctx.awaitSignal(''), /The name of a signal is ""/],
    [
      'no handler',
      (ctx) => ctx.onSignal('go', 5 as never),
      /The handler of onSignal\("go"\) is 5; expected a function/,
    ],
    [
      'a child that is none',
      (ctx) => ctx.startChildWorkflow({} as never),
      /A child workflow is an object; expected what workflow\(\) returned, or a workflow type/,
    ],
    [
      'an option of a child that there is not',
      (ctx) => ctx.startChildWorkflow('kid', 1, { id: 'x' } as never),
      /Child workflow "kid": options\.id is no field of it; expected workflowId/,
    ],
    [
      'a policy that there is not',
      (ctx) => ctx.startChildWorkflow('kid', 1, { parentClosePolicy: 'KILL' as never }),
      /parentClosePolicy is "KILL"; expected TERMINATE, ABANDON, REQUEST_CANCEL/,
    ],
    ['an empty race', (ctx) => ctx.race([]), /ctx\.race was given an empty list; expected a list/],
    [
      'a shield that does not take its context',
      (ctx) => ctx.shielded(async () => 1),
      /ctx\.shielded takes a function of one parameter, its own context/,
    ],
    [
      'an undoing that is no function',
      (ctx) => ctx.newSaga().addStep(async () => 1, 5 as never),
      /The undo of a saga's step is 5; expected a function that is given a context/,
    ],
    ['a patch without an id', (ctx) => ctx.patched(''), /The id of a patch is ""/],
    [
      'a key twice at a time',
      (ctx) => Promise.all([ctx.step('a', nothing), ctx.step('a', nothing)]),
      /The key "a" was asked for while "a" is still pending/,
    ],
  ];

  it.each(cases)('is told what was wrong: %s', async (_, code, message) => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await code(ctx);
      await ctx.awaitSignal('never');
    });
    await expect(run.turn()).rejects.toThrow(message);
  });

  it.each([
    [
      'a function in an input',
      { call: nothing },
      /The input of activity "charge:1" cannot be serialised: input\.call is a function/,
    ],
    [
      'an input over 2 MiB',
      'x'.repeat(2 * 1024 * 1024),
      /The input of activity "charge:1" is 2097154 bytes when serialised/,
    ],
  ])('lets the code catch %s', async (_, input, message) => {
    const run = new ReplayedWorkflow((ctx) => ctx.executeActivity('charge', input));
    const [said] = await run.turn();
    expect(said).toMatch(message);
  });
});

describe('queries', () => {
  it('may change nothing', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      ctx.setQueryHandler('asks', () => ctx.step('x', nothing));
      await ctx.awaitSignal('end');
    });
    await run.turn();
    expect(answerContextQuery(run.run, 'asks', undefined).errorMessage).toMatch(
      /A query handler or validator of workflow "flow" asked for step "x": it reads what the run has come to/,
    );
    expect(answerContextQuery(run.run, 'other', undefined).errorMessage).toBe(
      'Workflow "flow" has no query "other"; it answers asks.',
    );
    expect(run.run.broken).toBeUndefined();
    expect(await run.turn((h) => h.signal('end', 0))).toEqual(['complete ']);
  });
});
