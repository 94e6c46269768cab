import { describe, expect, it } from 'vitest';
import { ReplayedWorkflow } from '../../test/histories/replayed-workflow.ts';
import type { WorkflowContext } from './workflow-context.ts';

const nothing = () => undefined;

const basket = async (ctx: WorkflowContext) => {
  const items: string[] = [];
  ctx.onSignal('note', (text: string) => {
    items.push(text);
  });
  ctx.setUpdateHandler('add', {
    validator: (item: string) => {
      if (item === '') throw new RangeError('no item');
    },
    handler: async (item: string) => {
      await ctx.step(`look at ${item}`, nothing);
      items.push(item);
      return [...items];
    },
  });
  ctx.setUpdateHandler('clear', { handler: () => items.splice(0).length });
  await ctx.condition(() => items.includes('last'));
  return items;
};

const add = (id: string, argument: string) => ({ id, name: 'add', argument });

describe('updates', () => {
  it('are handled after the events before them, and again at that place', async () => {
    const run = new ReplayedWorkflow(basket);
    await run.turn();
    expect(await run.turn((h) => h.signal('note', 'n1'), [add('u1', 'a'), add('u2', 'b')])).toEqual(
      ['accept u1', 'accept u2', 'schedule look at a', 'schedule look at b'],
    );
    expect(
      await run.turn((h) => {
        h.signal('note', 'n2');
        h.stepCompleted('look at b', 0);
        h.stepCompleted('look at a', 0);
      }),
    ).toEqual(['answer u2 ["n1","n2","b"]', 'answer u1 ["n1","n2","b","a"]']);
    expect(
      await run.turn((h) => h.signal('note', 'n3'), [{ id: 'u3', name: 'clear', argument: 0 }]),
    ).toEqual(['accept u3', 'answer u3 5']);
    expect(await run.turn((h) => h.signal('note', 'last'))).toEqual(['complete ["last"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('come with the first workflow task too, once the code has set its handlers', async () => {
    const run = new ReplayedWorkflow(basket);
    expect(await run.turn(nothing, [add('u1', 'a')])).toEqual(['accept u1', 'schedule look at a']);
    expect(await run.turn((h) => h.stepCompleted('look at a', 0))).toEqual(['answer u1 ["a"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('are refused by their validator, and where there is no handler', async () => {
    const run = new ReplayedWorkflow(basket);
    await run.turn();
    expect(await run.turn(nothing, [add('u1', ''), { ...add('u2', 'a'), name: 'drop' }])).toEqual([
      'reject u1: no item',
      'reject u2: Workflow "flow" has no update "drop"; it has add, clear',
    ]);
    expect(await run.turn((h) => h.signal('note', 'last'))).toEqual(['complete ["last"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('may be asked again under the same id once they were refused (UP-2)', async () => {
    const run = new ReplayedWorkflow(basket);
    await run.turn();
    expect(await run.turn(nothing, [add('u1', '')])).toEqual(['reject u1: no item']);
    expect(await run.turn(nothing, [add('u1', 'a')])).toEqual(['accept u1', 'schedule look at a']);
  });

  it('fail with what their handler throws, and the run goes on', async () => {
    const run = new ReplayedWorkflow(basket);
    await run.turn();
    await run.turn(nothing, [add('u1', 'a')]);
    expect(await run.turn((h) => h.stepFailed('look at a', 'broke'))).toEqual([
      'fail u1: Step "look at a" failed',
    ]);
    expect(await run.turn((h) => h.signal('note', 'last'))).toEqual(['complete ["last"]']);
    expect(await run.differences()).toEqual([]);
  });

  it('that were accepted need their handler for as long as the run is open', async () => {
    const run = new ReplayedWorkflow(basket);
    await run.turn();
    await run.turn(nothing, [add('u1', 'a')]);
    await expect(run.crash((ctx) => ctx.awaitSignal('never'))).rejects.toThrow(
      /Workflow "flow" has no update "add"; it has set no update handler, but event 9 of the history \(WorkflowExecutionUpdateAccepted\) accepted one/,
    );
  });

  it.each<[string, (ctx: WorkflowContext) => void, RegExp]>([
    [
      'a validator that is async',
      (ctx) =>
        ctx.setUpdateHandler('add', { validator: (async () => true) as never, handler: nothing }),
      /The validator of update "add" returned a promise/,
    ],
    [
      'no handler',
      (ctx) => ctx.setUpdateHandler('add', {} as never),
      /The handler of setUpdateHandler\("add"\) is undefined; expected a function/,
    ],
    [
      'an option that there is not',
      (ctx) => ctx.setUpdateHandler('add', { handler: nothing, check: nothing } as never),
      /setUpdateHandler\("add"\): check is no field of it; expected validator, handler/,
    ],
  ])('name misuse: %s', async (_, code, message) => {
    const run = new ReplayedWorkflow(async (ctx) => {
      code(ctx);
      await ctx.awaitSignal('never');
    });
    await expect(run.turn(nothing, [add('u1', 'a')])).rejects.toThrow(message);
  });

  it('have a validator that may ask for nothing', async () => {
    const run = new ReplayedWorkflow(async (ctx) => {
      ctx.setUpdateHandler('add', {
        validator: () => void ctx.step('x', nothing),
        handler: nothing,
      });
      await ctx.awaitSignal('never');
    });
    expect(await run.turn(nothing, [add('u1', 'a')])).toEqual([
      expect.stringMatching(/^reject u1: .* asked for step "x"/),
    ]);
  });
});
