/**
 * A process of its own that works on the workflows of a SQLite file, for a test that kills it. Arguments: the
 * database, the journal of the steps that were called, how many workflows to start (0: work on those that are there).
 */
import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { activity, AsyncTaskComponent, workflow, type WorkflowContext } from '../../src/index.ts';

const nothing = (): void => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const [, , path = '', journal = '', count = '0'] = process.argv;

async function act(key: string, ms: number, token: string): Promise<string> {
  appendFileSync(journal, `begin ${key}\n`);
  await setTimeout(ms);
  appendFileSync(journal, `end ${key}\n`);
  return token;
}

const work = activity({
  name: 'work',
  run: ({ key, ms }: { key: string; ms: number }) => act(key, ms, key),
});

const part = workflow({ name: 'part' }, async (ctx, ms: number) =>
  ctx.step('part', () => act(`${ctx.info.workflowId}/part`, ms, 'part')),
);

/** What happened first is in the result, in the order in which the code saw it. */
const contest = workflow({ name: 'contest' }, async (ctx: WorkflowContext, seed: number) => {
  const { workflowId } = ctx.info;
  const order: string[] = [];
  const seen = async (name: string, promise: Promise<unknown>) => {
    await promise;
    order.push(name);
    return name;
  };
  const ms = (at: number) => 5 + ((seed * 7 + at * 13) % 60);
  const key = `${workflowId}/work`;
  const drawn = ctx.uuid();
  const branches = [
    seen('sleep#1', ctx.sleep(ms(1))),
    seen('go', ctx.awaitSignal('go')),
    seen('work:1', ctx.executeActivity(work, { key, ms: ms(2) })),
    seen('part', ctx.executeChildWorkflow(part, ms(3))),
  ];
  const first = await Promise.race(branches);
  await ctx.step('after', () => act(`${workflowId}/after ${first}`, ms(4), first));
  await Promise.all(branches);
  const same = drawn === (await ctx.step('drawn', () => drawn));
  return { order, first, same };
});

const component = new AsyncTaskComponent({ store: `sqlite:${path}`, logger: silent });
component.registerAll([contest, part]);
await component.start();
for (let at = 0; at < Number(count); at += 1) {
  const handle = await contest.start(at, { workflowId: `contest-${at}` });
  void setTimeout(5 + ((at * 11) % 50)).then(() => handle.signal('go', at));
}
appendFileSync(1, 'started\n');
