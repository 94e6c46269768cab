import {
  ApplicationFailure,
  ChildWorkflowFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { ReplayedWorkflow } from '../../test/histories/replayed-workflow.ts';
import { CompensationFailed } from './saga.ts';
import { workflow } from './workflow.ts';
import type { WorkflowContext } from './workflow-context.ts';

const nothing = () => undefined;
const child = workflow({ name: 'child' }, async (_ctx, n: number) => n);

describe('waiting', () => {
  it('gives a handler the signals that came before it, and each one after', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const seen: unknown[] = [];
      await ctx.step('first', nothing);
      ctx.onSignal<number>('add', async (n) => {
        await ctx.step(`work ${n}`, nothing);
        seen.push(n);
      });
      await ctx.condition(() => seen.length === 3);
      return seen;
    });
    await run.turn();
    expect(
      await run.turn((h) => {
        h.signal('add', 1);
        h.stepCompleted('first', 0);
        h.signal('add', 2);
      }),
    ).toEqual(['schedule work 1', 'schedule work 2']);
    expect(
      await run.turn((h) => {
        h.signal('add', 3);
        h.stepCompleted('work 2', 0);
      }),
    ).toEqual(['schedule work 3']);
    expect(
      await run.turn((h) => {
        h.stepCompleted('work 3', 0);
        h.stepCompleted('work 1', 0);
      }),
    ).toEqual(['complete [2,3,1]']);
    expect(await run.differences()).toEqual([]);
  });

  it('fails with what a signal handler throws', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      ctx.onSignal('go', async () => {
        await ctx.step('work', nothing);
      });
      await ctx.condition(() => false);
    });
    await run.turn();
    await run.turn((h) => h.signal('go', 0));
    expect(await run.turn((h) => h.stepFailed('work', 'broke'))).toEqual([
      'fail Step "work" failed: broke',
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('lets a plain promise be ended by a signal handler', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const decided = await new Promise((resolve) => {
        ctx.onSignal('decide', resolve);
      });
      return decided;
    });
    expect(await run.turn()).toEqual([]);
    expect(await run.turn((h) => h.signal('decide', 'yes'))).toEqual(['complete "yes"']);
    expect(await run.differences()).toEqual([]);
  });

  it.each([
    ['the signal', true, ['cancel timer sleep#1', 'schedule held']],
    ['the timer', false, ['schedule late']],
  ])('holds a condition or comes to its timeout, whichever %s decides', async (_, held, said) => {
    const run = new ReplayedWorkflow(async (ctx) => {
      let approved = false;
      ctx.onSignal('approve', () => {
        approved = true;
      });
      const inTime = await ctx.condition(() => approved, '2 days');
      await ctx.step(inTime ? 'held' : 'late', nothing);
      return inTime;
    });
    expect(await run.turn()).toEqual(['start timer sleep#1']);
    const came = await run.turn((h) => {
      if (held) h.signal('approve', 0);
      else h.timerFired('sleep#1');
    });
    expect([...came].sort()).toEqual([...said].sort());
    expect(await run.turn((h) => h.stepCompleted(held ? 'held' : 'late', 0))).toEqual([
      `complete ${held}`,
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('asks nothing of the history for a condition that holds already', async () => {
    const run = new ReplayedWorkflow((ctx) => ctx.condition(() => true, '1h'));
    expect(await run.turn()).toEqual(['complete true']);
  });

  it('cancels the branches of a race that are functions, and leaves promises alone', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const kept = ctx.step('kept', () => 'kept');
      const winner = await ctx.race([
        kept,
        (own) => own.step('lost', nothing),
        (own) => own.awaitSignal('go'),
      ]);
      return [winner, await kept];
    });
    expect(await run.turn()).toEqual(['schedule kept', 'schedule lost']);
    expect(await run.turn((h) => h.signal('go', 'won'))).toEqual(['cancel 6']);
    expect(await run.turn((h) => h.stepCompleted('kept', 'kept'))).toEqual([
      'complete ["won","kept"]',
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('comes to the first that succeeds of any, and to all of all', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const first = await ctx.any([
        (own) => own.step('a', nothing),
        (own) => own.step('b', () => 'b'),
        (own) => own.step('c', nothing),
      ]);
      return ctx.all([
        Promise.resolve(first),
        ctx.step('d', () => 'd'),
        (own) => own.step('e', () => 'e'),
      ]);
    });
    await run.turn();
    expect(await run.turn((h) => h.stepFailed('a', 'no'))).toEqual([]);
    expect(await run.turn((h) => h.stepCompleted('b', 'B'))).toEqual([
      'schedule d',
      'schedule e',
      'cancel 7',
    ]);
    expect(
      await run.turn((h) => {
        h.stepCompleted('e', 'E');
        h.stepCompleted('d', 'D');
      }),
    ).toEqual(['complete ["B","D","E"]']);
    expect(await run.differences()).toEqual([]);
  });
});

describe('children and other workflows', () => {
  it('starts children under ids of their own, and comes to their results', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const parts = [1, 2].map((n) => ctx.executeChildWorkflow(child, n));
      const named = await ctx.startChildWorkflow('other', 3, { workflowId: 'mine' });
      return [...(await Promise.all(parts)), named.firstExecutionRunId, await named.result()];
    });
    expect(await run.turn()).toEqual([
      'start child flow-1/child:1',
      'start child flow-1/child:2',
      'start child mine',
    ]);
    await run.turn((h) => {
      h.childStarted('mine');
      h.childStarted('flow-1/child:2');
      h.childStarted('flow-1/child:1');
    });
    await run.turn((h) => h.childCompleted('flow-1/child:2', 'two'));
    expect(
      await run.turn((h) => {
        h.childCompleted('flow-1/child:1', 'one');
        h.childCompleted('mine', 'other');
      }),
    ).toEqual(['complete ["one","two","run of mine","other"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('gives the failure of a child, and of one whose id is taken', async () => {
    const caught: unknown[] = [];
    const run = new ReplayedWorkflow(async (ctx) => {
      const errors = await Promise.all([
        ctx.executeChildWorkflow(child, 1).catch((error: unknown) => error),
        ctx.startChildWorkflow(child, 2, { workflowId: 'taken' }).catch((error: unknown) => error),
      ]);
      caught.push(...errors, (errors[0] as Error).cause);
      return 0;
    });
    await run.turn();
    await run.turn((h) => {
      h.childStarted('flow-1/child:1');
      h.childNotStarted('taken');
      h.childFailed('flow-1/child:1', 'broke');
    });
    expect(caught).toEqual([
      expect.any(ChildWorkflowFailure),
      expect.any(WorkflowExecutionAlreadyStartedError),
      expect.any(ApplicationFailure),
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('asks its children to cancel and waits for their end', async () => {
    const run = new ReplayedWorkflow((ctx) => ctx.executeChildWorkflow(child, 1));
    await run.turn();
    await run.turn((h) => h.childStarted('flow-1/child:1'));
    expect(await run.turn((h) => h.requestCancel())).toEqual(['cancel workflow flow-1/child:1']);
    expect(await run.turn((h) => h.childCanceled('flow-1/child:1'))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('asks a child to cancel only once it has started', async () => {
    const run = new ReplayedWorkflow((ctx) => ctx.executeChildWorkflow(child, 1));
    await run.turn();
    expect(await run.turn((h) => h.requestCancel())).toEqual([]);
    expect(await run.turn((h) => h.childStarted('flow-1/child:1'))).toEqual([
      'cancel workflow flow-1/child:1',
    ]);
    expect(await run.turn((h) => h.childCanceled('flow-1/child:1'))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('never sends what was cancelled before it left', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await ctx.awaitSignal('go');
      return ctx.all([ctx.executeChildWorkflow(child, 1), ctx.signalExternal('other', 'hello')]);
    });
    await run.turn();
    expect(
      await run.turn((h) => {
        h.signal('go', 0);
        h.requestCancel();
      }),
    ).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('sends again what was withdrawn before, and finds it again', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await ctx.awaitSignal('go');
      try {
        await ctx.signalExternal('other', 'hello');
      } catch (error) {
        await ctx.shielded((own) => own.signalExternal('other', 'hello'));
        throw error;
      }
    });
    await run.turn();
    expect(
      await run.turn((h) => {
        h.signal('go', 0);
        h.requestCancel();
      }),
    ).toEqual(['signal hello to other']);
    expect(await run.turn((h) => h.signalArrived('hello'))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });

  it('signals others, and learns whether it arrived', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      await ctx.signalExternal('someone', 'hello', 1);
      const error = await ctx.signalExternal('nobody', 'lost').catch((cause: Error) => cause);
      return (error as Error).message;
    });
    expect(await run.turn()).toEqual(['signal hello to someone']);
    expect(await run.turn((h) => h.signalArrived('hello'))).toEqual(['signal lost to nobody']);
    expect(await run.turn((h) => h.signalLost('lost', 'nobody'))).toEqual([
      'complete "Workflow nobody could not be signalled: no run of that id is open"',
    ]);
    expect(await run.differences()).toEqual([]);
  });
});

describe('a saga', () => {
  const order = async (ctx: WorkflowContext) => {
    const saga = ctx
      .newSaga()
      .addStep(
        (own) => own.step('reserve', () => 'r1'),
        (own, id) => own.step(`release ${id}`, nothing),
      )
      .addStep(
        (own) => own.step('charge', () => 'c1'),
        (own, id) => own.step(`refund ${id}`, nothing),
      )
      .addStep((own) => own.step('ship', () => 's1'));
    return saga.execute();
  };

  it('comes to the results of its steps', async () => {
    const run = new ReplayedWorkflow(order);
    await run.turn();
    await run.turn((h) => h.stepCompleted('reserve', 'r1'));
    await run.turn((h) => h.stepCompleted('charge', 'c1'));
    expect(await run.turn((h) => h.stepCompleted('ship', 's1'))).toEqual([
      'complete ["r1","c1","s1"]',
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('undoes in reverse, each once it is kept, and throws what went wrong', async () => {
    const run = new ReplayedWorkflow(order);
    await run.turn();
    await run.turn((h) => h.stepCompleted('reserve', 'r1'));
    await run.turn((h) => h.stepCompleted('charge', 'c1'));
    expect(await run.turn((h) => h.stepFailed('ship', 'no ship'))).toEqual(['schedule refund c1']);
    expect(await run.turn((h) => h.stepCompleted('refund c1', 0))).toEqual(['schedule release r1']);
    expect(await run.turn((h) => h.stepCompleted('release r1', 0))).toEqual([
      'fail Step "ship" failed: no ship',
    ]);
    expect(await run.differences()).toEqual([]);
  });

  it('goes on when an undoing fails, and then carries all that failed', async () => {
    const caught: unknown[] = [];
    const run = new ReplayedWorkflow(async (ctx) => {
      try {
        return await order(ctx);
      } catch (error) {
        caught.push(error);
        throw error;
      }
    });
    await run.turn();
    await run.turn((h) => h.stepCompleted('reserve', 'r1'));
    await run.turn((h) => h.stepCompleted('charge', 'c1'));
    await run.turn((h) => h.stepFailed('ship', 'no ship'));
    expect(await run.turn((h) => h.stepFailed('refund c1', 'no refund'))).toEqual([
      'schedule release r1',
    ]);
    expect(await run.turn((h) => h.stepFailed('release r1', 'no release'))).toEqual([
      `fail 2 of the saga's undoings failed: Step "refund c1" failed: no refund; Step "release r1" failed: no release. It was undone because of: Step "ship" failed: no ship: Step "ship" failed`,
    ]);
    const [error] = caught as CompensationFailed[];
    expect(error).toBeInstanceOf(CompensationFailed);
    expect(error?.failures.length).toBe(2);
    expect(error?.type).toBe('CompensationFailed');
    expect(await run.differences()).toEqual([]);
  });

  it('undoes when it is cancelled, in a shield', async () => {
    const run = new ReplayedWorkflow(order);
    await run.turn();
    await run.turn((h) => h.stepCompleted('reserve', 'r1'));
    expect(await run.turn((h) => h.requestCancel())).toEqual([
      'schedule release r1',
      expect.stringMatching(/^cancel \d+$/),
    ]);
    expect(await run.turn((h) => h.stepCompleted('release r1', 0))).toEqual(['cancel the run']);
    expect(await run.differences()).toEqual([]);
  });
});

describe('versions and chains', () => {
  it('takes a failure before a reset for what it was', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      const first = await ctx.step('first', nothing).catch(() => 'failed');
      await ctx.step('second', nothing);
      return first;
    });
    await run.turn();
    await run.turn((h) => h.stepFailed('first', 'broke'));
    run.history.stepCompleted('second', 0);
    run.history.startWorkflowTask();
    run.history.failWorkflowTask(true);
    await run.crash();
    expect(await run.turn()).toEqual(['complete "failed"']);
  });

  it('runs the code behind a patch in new runs, and not in those that were past it', async () => {
    const after = async (ctx: WorkflowContext) => {
      await ctx.step('first', nothing);
      if (ctx.patched('with-mail')) await ctx.step('mail', nothing);
      await ctx.step('last', nothing);
      return ctx.patched('with-mail');
    };
    const fresh = new ReplayedWorkflow(after);
    await fresh.turn();
    expect(await fresh.turn((h) => h.stepCompleted('first', 0))).toEqual([
      'mark {"id":"with-mail","deprecated":false}',
      'schedule mail',
    ]);
    await fresh.turn((h) => h.stepCompleted('mail', 0));
    expect(await fresh.turn((h) => h.stepCompleted('last', 0))).toEqual(['complete true']);
    expect(await fresh.differences()).toEqual([]);

    const old = new ReplayedWorkflow(async (ctx) => {
      await ctx.step('first', nothing);
      await ctx.step('last', nothing);
    });
    await old.turn();
    await old.turn((h) => h.stepCompleted('first', 0));
    await old.crash(after);
    expect(await old.turn((h) => h.stepCompleted('last', 0))).toEqual(['complete false']);
  });

  it('continues as new, whatever the code does after', async () => {
    const run = new ReplayedWorkflow(async (ctx, n: number) => {
      try {
        if (n < 3) return await ctx.continueAsNew(n + 1);
      } catch {
        return 'swallowed';
      }
      return n;
    }, 1);
    expect(await run.turn()).toEqual(['continue as new 2']);
    expect(await run.differences()).toEqual([]);
  });

  it('repeats chance, and tells the time of the workflow task that took an event up', async () => {
    const seen: unknown[][] = [];
    const run = new ReplayedWorkflow(async (ctx) => {
      const drawn: unknown[] = [ctx.now(), ctx.random(), ctx.uuid()];
      await ctx.step('a', nothing);
      drawn.push(ctx.now(), ctx.random());
      seen.push(drawn);
      return 0;
    });
    await run.turn();
    await run.turn((h) => h.stepCompleted('a', 0));
    const [[first, chance, uuid, second, another] = []] = seen;
    // Events of a made history are a second apart, and workflow tasks are started by the events 3 and 9.
    expect([first, second]).toEqual([1_700_000_003_000, 1_700_000_009_000]);
    expect(uuid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(chance).not.toBe(another);
    expect(await run.differences()).toEqual([]);
    expect(seen.length).toBe(3);
    expect(new Set(seen.map(String)).size).toBe(1);
  });

  it('tells the time of the attempt that was completed, not of one that failed before it', async () => {
    const seen: number[] = [];
    const run = new ReplayedWorkflow(async (ctx) => {
      seen.push(ctx.now());
      await ctx.step('a', nothing);
    });
    run.history.startWorkflowTask();
    run.history.failWorkflowTask();
    await run.turn();
    await run.differences();
    expect(seen).toEqual([1_700_000_006_000, 1_700_000_006_000]);
  });

  it('logs each line once', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      ctx.log.info('begins');
      await ctx.step('a', nothing);
      ctx.log.warn('goes on');
      await ctx.step('b', nothing);
    });
    await run.turn();
    await run.turn((h) => h.stepCompleted('a', 0));
    await run.crash();
    await run.turn((h) => h.stepCompleted('b', 0));
    expect(run.logged).toEqual(['info: begins', 'warn: goes on']);
  });
});
