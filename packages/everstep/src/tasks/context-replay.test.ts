import { describe, expect, it } from 'vitest';
import { ReplayedWorkflow } from '../../test/histories/replayed-workflow.ts';
import { SeededRandom } from './seeded-random.ts';
import { workflow } from './workflow.ts';
import type { WorkflowContext } from './workflow-context.ts';

const nothing = () => undefined;
const child = workflow({ name: 'child' }, async (_, n: number) => n);

describe('any order of events', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed);
  it.each(seeds)('is replayed as it was lived (seed %i)', async (seed) => {
    const random = new SeededRandom(`order ${seed}`);
    const often = (chance: number) => random.next() < chance;
    const run = new ReplayedWorkflow(busy);
    const waiting = new Set<string>();
    const started = new Set<string>();
    let said = await run.turn();
    for (let turn = 0; turn < 300 && !said.some((one) => /^(complete|fail)/.test(one)); turn += 1) {
      for (const one of said) {
        if (/^(schedule|start timer|start child|signal) /.test(one)) waiting.add(one);
        const [, timer] = /^cancel timer (.*)$/.exec(one) ?? [];
        if (timer !== undefined) waiting.delete(`start timer ${timer}`);
      }
      said = await run.turn((history) => {
        for (const one of [...waiting].filter(() => often(0.4))) {
          const [, kind, id = ''] =
            /^(schedule|start timer|start child|signal) (.*?)(?: to .*)?$/.exec(one) ?? [];
          if (kind === 'start child' && !started.has(id)) {
            history.childStarted(id);
            started.add(id);
            continue;
          }
          waiting.delete(one);
          if (kind === 'start timer') history.timerFired(id);
          else if (kind === 'signal') history.signalArrived(id);
          else if (kind === 'start child') {
            if (often(0.2)) history.childFailed(id, 'broke');
            else history.childCompleted(id, turn);
          } else if (often(0.2)) history.stepFailed(id, 'broke');
          else history.stepCompleted(id, Math.floor(random.next() * 10));
        }
        if (often(0.4)) history.signal('go', turn);
        if (often(0.3)) history.signal('note', turn);
      });
    }
    expect(said.at(-1)).toMatch(/^complete/);
    expect(await run.differences()).toEqual([]);
  });

  async function branch(ctx: WorkflowContext, name: string, log: unknown[]): Promise<string> {
    for (let round = 0; round < 3; round += 1) {
      try {
        log.push(await ctx.step(name, nothing));
        for (let at = 0; at < round * 3; at += 1) await Promise.resolve();
      } catch (error) {
        log.push((error as Error).message);
      }
      await ctx.sleep(10, { key: `${name} rests` });
    }
    return name;
  }

  async function busy(ctx: WorkflowContext): Promise<unknown> {
    const log: unknown[] = [ctx.now(), ctx.random()];
    let notes = 0;
    ctx.onSignal('note', async (value) => {
      notes += 1;
      log.push(`note ${String(value)}`);
      if (notes < 4) log.push(await ctx.executeActivity<number>('noted', value).catch(() => -1));
    });
    // A race of a sleep, a signal and steps, with plain promises and with scopes.
    log.push(await Promise.race([branch(ctx, 'a', log), ctx.awaitSignal('go'), ctx.sleep(5)]));
    log.push(
      await ctx.race([
        (own) => branch(own, 'b', log),
        (own) => own.awaitSignal('go'),
        (own) => own.sleep(7),
      ]),
    );
    log.push(
      await Promise.all([
        branch(ctx, 'c', log),
        ctx.executeChildWorkflow(child, 1).catch((error: Error) => error.message),
        ctx.executeChildWorkflow(child, 2).catch((error: Error) => error.message),
        ctx.signalExternal('other', 'ping', notes),
      ]),
    );
    log.push(await ctx.condition(() => notes >= 2, '1h'), ctx.uuid(), ctx.now());
    log.push(ctx.patched('new') ? await branch(ctx, 'd', log) : 'old');
    log.push(
      await ctx
        .any([(own) => own.step('e', nothing), (own) => own.step('f', nothing)])
        .catch((error: Error) => error.name),
    );
    return log;
  }
});
