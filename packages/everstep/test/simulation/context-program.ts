/** The programs of task-programs.ts as a workflow with a context: the same nodes, written with promises. */
import { workflow, type WorkflowContext } from '../../src/index.ts';
import type { Seen, StepWorld, TaskNode, TaskParams } from './task-programs.ts';
import { act, isCancelled, spanIn } from './task-programs.ts';

export const contextType = 'contextual';

export function makeContextWorkflow(world: StepWorld) {
  return workflow<TaskParams, Seen[]>({ name: contextType }, async (ctx, { program }) => {
    const seen: Seen[] = [];
    ctx.setUpdateHandler<string, string>('add', {
      validator: (token) => {
        if (token.endsWith('7')) throw new Error('not that one');
      },
      handler: async (token) => {
        if (token.endsWith('3')) await ctx.sleep(spanIn(world, 300), { key: `wait-${token}` });
        return token;
      },
    });
    ctx.setQueryHandler('state', () => seen.length);
    await perform(world, program, ctx, seen);
    return seen;
  });
}

async function perform(
  world: StepWorld,
  node: TaskNode,
  ctx: WorkflowContext,
  seen: Seen[],
): Promise<void> {
  switch (node.op) {
    case 'step':
    case 'job': {
      const { key } = node;
      try {
        const token =
          node.op === 'job'
            ? await ctx.step(key, () => world.token(), { timeouts: { startToClose: '20s' } })
            : await ctx.step(key, (context) => act(world, node, context), {
                retryPolicy: {
                  maxRetries: node.retries,
                  initialDelay: spanIn(world, 200),
                  backoffMultiplier: 2,
                },
                timeouts: {
                  startToClose: node.timeoutMs,
                  ...(node.beats ? { heartbeat: 5_000 } : {}),
                },
                shielded: node.shielded,
              });
        seen.push([key, token]);
      } catch (error) {
        if (isCancelled(error)) throw error;
        seen.push([key, 'failed']);
      }
      break;
    }
    case 'sleep':
      await ctx.sleep(spanIn(world, node.ms), { key: node.key });
      seen.push([node.key, 'slept']);
      break;
    case 'signal': {
      const value = await ctx.awaitSignal<string>(node.name);
      seen.push([`signal ${node.name}`, value]);
      break;
    }
    case 'seq':
      for (const child of node.nodes) await perform(world, child, ctx, seen);
      break;
    case 'all':
      await ctx.all(node.nodes.map((child) => perform(world, child, ctx, seen)));
      break;
    case 'race': {
      const won = await ctx.race(
        node.nodes.map((child, index) => async (own: WorkflowContext) => {
          await perform(world, child, own, seen);
          return index;
        }),
      );
      seen.push(['race', String(won)]);
      break;
    }
  }
}
