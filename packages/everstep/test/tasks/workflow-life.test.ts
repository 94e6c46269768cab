import { describe, expect, it } from 'vitest';
import {
  activity,
  ApplicationFailure,
  AsyncTask,
  AsyncTaskComponent,
  step,
  workflow,
  type StepContext,
} from '../../src/index.ts';
import { gate, rejection, running, silent, places, storeUrl } from './running-component.ts';

async function greet(name: string): Promise<string> {
  return `hello ${name}`;
}

describe.each(places)('a workflow on %s', (kind) => {
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

  it('takes signals and answers queries of the official client', async () => {
    const flow = workflow({ name: 'counter' }, async (ctx, from: number) => {
      let count = from;
      ctx.setQueryHandler('count', (factor: number) => count * factor);
      ctx.onSignal('add', (n: number) => {
        count += n;
      });
      await ctx.condition(() => count >= 10);
      return count;
    });
    const component = await running(kind, [flow]);
    const handle = await flow.start(1);
    expect(await handle.query('count', 3)).toBe(3);
    await handle.signal('add', 4);
    expect(await handle.query('count', 1)).toBe(5);
    expect((await rejection(handle.query('other'))).message).toContain(
      'Workflow "counter" has no query "other"; it answers count.',
    );
    await handle.signal('add', 5);
    expect(await handle.result()).toBe(10);
    // After the end too, from the history.
    const again = component.getClient().workflow.getHandle(handle.workflowId);
    expect(await again.query('count', 2)).toBe(20);
    expect(await again.query('__stack_trace')).toContain('Workflow "counter" waits at');
  });

  it('accepts, refuses and answers updates of the official client', async () => {
    const flow = workflow({ name: 'basket' }, async (ctx) => {
      const items: string[] = [];
      ctx.setUpdateHandler('add', {
        validator: (item: string) => {
          if (items.includes(item)) throw new RangeError(`${item} is in it already`);
        },
        handler: async (item: string) => {
          const price = await ctx.step(`price ${item}`, () => item.length);
          if (price > 10) throw ApplicationFailure.nonRetryable('too dear');
          items.push(item);
          return items.length;
        },
      });
      await ctx.condition(() => items.length === 3);
      return items;
    });
    const component = await running(kind, [flow]);
    const handle = await flow.start(undefined, { workflowId: 'basket-1' });
    expect(await handle.executeUpdate('add', { args: ['pear'] })).toBe(1);
    const refused = await rejection(handle.executeUpdate('add', { args: ['pear'] }));
    expect((refused.cause as Error).message).toBe('pear is in it already');
    const failed = await rejection(handle.executeUpdate('add', { args: ['pomegranate'] }));
    expect((failed.cause as Error).message).toBe('too dear');
    const unknown = await rejection(handle.executeUpdate('drop', { args: [1] }));
    expect((unknown.cause as Error).message).toBe(
      'Workflow "basket" has no update "drop"; it has add',
    );
    const counts = await Promise.all(
      ['fig', 'plum'].map((item) =>
        handle.executeUpdate<number, [string]>('add', { args: [item] }),
      ),
    );
    expect(counts.toSorted((a, b) => a - b)).toEqual([2, 3]);
    const items = (await handle.result()) as string[];
    expect(items.toSorted()).toEqual(['fig', 'pear', 'plum']);
    const again = component.getClient().workflow.getHandle('basket-1');
    expect(await again.query('__temporal_workflow_metadata')).toMatchObject({
      definition: { updateDefinitions: [{ name: 'add' }] },
    });
  });

  it('reaches a running activity with a cancel, and cleans up in a shield', async () => {
    const begun = gate();
    const told = gate();
    let cleaned = 0;
    async function render(_: undefined, { signal }: StepContext): Promise<void> {
      begun.open();
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          told.open();
          reject(signal.reason as Error);
        });
      });
    }
    const flow = workflow({ name: 'renders' }, async (ctx) => {
      try {
        await ctx.executeActivity(render);
      } finally {
        await ctx.shielded((own) =>
          own.step('clean up', () => {
            cleaned += 1;
          }),
        );
      }
    });
    await running(kind, [flow]);
    const handle = await flow.start();
    await begun.opened;
    await handle.cancel();
    await told.opened;
    const error = await rejection(handle.result());
    expect((error.cause as Error).name).toBe('CancelledFailure');
    expect(cleaned).toBe(1);
  });

  it('fans out over children and gathers their results', async () => {
    const square = workflow({ name: 'square' }, async (ctx, n: number) =>
      ctx.step('square', () => n * n),
    );
    const flow = workflow({ name: 'fan-out' }, async (ctx, upTo: number) => {
      const numbers = Array.from({ length: upTo }, (_, index) => index + 1);
      const squares = await ctx.all(numbers.map((n) => ctx.executeChildWorkflow(square, n)));
      return squares.reduce((sum, n) => sum + n, 0);
    });
    const component = await running(kind, [square, flow]);
    expect(await flow.execute(10, { workflowId: 'fan' })).toBe(385);
    const child = component.getClient().workflow.getHandle('fan/square:10');
    expect(await child.result()).toBe(100);
  });

  it('takes a task as a child, by its workflow type', async () => {
    const task = new AsyncTask({
      name: 'halve',
      task: async function* (params: { n: number }) {
        return yield* step('halve', () => params.n / 2);
      },
    });
    const flow = workflow({ name: 'halves' }, (ctx, n: number) =>
      ctx.executeChildWorkflow<number>(task.workflowType, { n }),
    );
    await running(kind, [task, flow]);
    expect(await flow.execute(8)).toBe(4);
  });

  it('cancels its children with itself and waits for their clean-up', async () => {
    const cleaned: string[] = [];
    const begun = gate();
    const part = workflow({ name: 'part' }, async (ctx, name: string) => {
      try {
        await ctx.step('begin', () => begun.open());
        await ctx.sleep('1h');
      } finally {
        await ctx.shielded((own) =>
          own.step('clean up', () => {
            cleaned.push(name);
          }),
        );
      }
    });
    const flow = workflow({ name: 'whole' }, (ctx) => ctx.executeChildWorkflow(part, 'a'));
    await running(kind, [part, flow]);
    const handle = await flow.start();
    await begun.opened;
    await handle.cancel();
    const error = await rejection(handle.result());
    expect((error.cause as Error).name).toBe('CancelledFailure');
    expect(cleaned).toEqual(['a']);
  });

  it('retries an activity as it was told, and fails with its cause', async () => {
    let tries = 0;
    const flaky = activity({
      name: 'flaky',
      run: async (fatal: boolean) => {
        tries += 1;
        if (fatal) throw ApplicationFailure.nonRetryable('never');
        if (tries < 3) throw new RangeError('not yet');
        return tries;
      },
      retry: { initialInterval: 1, maximumAttempts: 5 },
    });
    const flow = workflow({ name: 'flaky-flow' }, (ctx, fatal: boolean) =>
      ctx.executeActivity(flaky, fatal),
    );
    await running(kind, [flow]);
    expect(await flow.execute(false)).toBe(3);
    const error = await rejection(flow.execute(true));
    expect((error.cause as Error).name).toBe('ActivityFailure');
    expect(((error.cause as Error).cause as Error).message).toBe('never');
    expect(tries).toBe(4);
  });

  it('continues as new with what it was given, and keeps its id and memo', async () => {
    const flow = workflow({ name: 'chain' }, async (ctx, n: number) => {
      await ctx.step('work', ({ idempotencyKey }) => idempotencyKey);
      if (n < 3) return ctx.continueAsNew(n + 1);
      return { n, memo: ctx.info.memo, first: ctx.info.firstExecutionRunId };
    });
    await running(kind, [flow]);
    const handle = await flow.start(1, { workflowId: 'chain-1', memo: { kept: 'yes' } });
    expect(await handle.result()).toEqual({
      n: 3,
      memo: { kept: 'yes' },
      first: handle.firstExecutionRunId,
    });
  });

  it('signals another workflow', async () => {
    const waits = workflow({ name: 'waits' }, (ctx) => ctx.awaitSignal<string>('hello'));
    const sends = workflow({ name: 'sends' }, async (ctx, to: string) => {
      await ctx.signalExternal(to, 'hello', 'from me');
      return ctx
        .signalExternal('nobody', 'hello')
        .then(() => 'arrived')
        .catch((error: Error) => error.message);
    });
    await running(kind, [waits, sends]);
    const handle = await waits.start();
    expect(await sends.execute(handle.workflowId)).toBe(
      'Workflow nobody could not be signalled: no run of that id is open',
    );
    expect(await handle.result()).toBe('from me');
  });

  it('says so when chance is drawn inside a step', async () => {
    const flow = workflow({ name: 'draws' }, (ctx) =>
      ctx.step('draw', () => ctx.uuid(), { retryPolicy: { maxRetries: 0 } }),
    );
    await running(kind, [flow]);
    const error = await rejection(flow.execute());
    expect((error.cause as Error).cause).toMatchObject({
      message: expect.stringContaining(
        'asked for uuid() while no event of its history was applied',
      ),
    });
  });
});

it('goes on from its history in another process', async () => {
  const store = await storeUrl('sqlite');
  const drawn: unknown[] = [];
  let made = 0;
  const flowOf = (ready: Promise<void>) =>
    workflow({ name: 'moves' }, async (ctx) => {
      const before = [ctx.uuid(), ctx.now(), ctx.random()];
      await ctx.step('first', () => {
        made += 1;
        drawn.push(...before);
      });
      await ctx.step('second', () => ready);
      return before;
    });
  const one = new AsyncTaskComponent({ store, logger: silent });
  const first = flowOf(new Promise(() => undefined));
  one.register(first);
  await one.start();
  await first.start(undefined, { workflowId: 'moves-1' });
  await expect.poll(() => made).toBe(1);
  await one.stop({ gracePeriod: 0 });
  const second = flowOf(Promise.resolve());
  const two = await running('sqlite', [second], { store });
  const handle = two.getClient().workflow.getHandle('moves-1');
  expect(await handle.result()).toEqual(drawn);
  expect(made).toBe(1);
});

describe('activities that are registered', () => {
  it('run for the workflows of another process', async () => {
    const store = await storeUrl('sqlite');
    const shout = activity({ name: 'shout', run: async (text: string) => text.toUpperCase() });
    const flow = workflow({ name: 'caller' }, (ctx, text: string) =>
      ctx.executeActivity<string>('shout', text, { taskQueue: 'loud' }),
    );
    await running(
      'sqlite',
      [activity({ ...shout.options, name: 'shout', run: shout.run, taskQueue: 'loud' })],
      { store },
    );
    await running('sqlite', [flow], { store });
    expect(await flow.execute('hello')).toBe('HELLO');
  });
});

describe('bad input', () => {
  const flow = workflow(
    { name: 'checked', schema: { input: positive() } },
    async (_, n: number) => n,
  );

  it.each([
    [
      'no name',
      () => workflow({} as never, async () => 1),
      /The name of a workflow is undefined; expected a string of 1 to 200 bytes/,
    ],
    [
      'no function',
      () => workflow({ name: 'x' }, 5 as never),
      /Workflow "x": the second argument is 5; expected its function/,
    ],
    [
      'an odd option',
      () => workflow({ name: 'x', queue: 'q' } as never, async () => 1),
      /Workflow "x": queue is no field of it; expected name, taskQueue, schema/,
    ],
    [
      'an odd schema',
      () => workflow({ name: 'x', schema: { input: 5 as never } }, async () => 1),
      /Workflow "x": schema\.input is 5; expected a Standard Schema/,
    ],
    [
      'an activity without a function',
      () => activity({ name: 'a' } as never),
      /Activity "a": run is undefined; expected a function/,
    ],
    [
      'an odd option of an activity',
      () => activity({ name: 'a', run: greet, retries: 1 } as never),
      /Activity "a": retries is no field of it; expected startToCloseTimeout/,
    ],
    [
      'a retry in our words',
      () => activity({ name: 'a', run: greet, retry: { maxRetries: 1 } as never }),
      /Activity "a": retry\.maxRetries is no field of it; expected maximumAttempts/,
    ],
  ])('is refused where it is defined: %s', (_, define, message) => {
    expect(define).toThrow(message);
  });

  it('is refused where it is registered', () => {
    const component = new AsyncTaskComponent({ store: 'memory' });
    component.register(flow);
    expect(() => component.register(flow)).toThrow(
      /A workflow named "checked" is registered already/,
    );
    expect(() => component.register(greet as never)).toThrow(
      /register\(\) was given a function; expected an AsyncTask, or what workflow\(\) or activity\(\) returned/,
    );
  });

  it('is refused where it is started', async () => {
    expect((await rejection(workflow({ name: 'lone' }, async () => 1).start())).message).toMatch(
      /Workflow "lone" is not connected, so start\(\) cannot reach its engine/,
    );
    await running('memory', [flow]);
    expect((await rejection(flow.start('x' as never))).message).toBe(
      'The schema of workflow "checked" refused the input: input: expected a positive number.',
    );
    expect((await rejection(flow.start(1, { id: 'x' } as never))).message).toMatch(
      /Workflow "checked": options\.id is no field of it; expected workflowId/,
    );
    expect((await rejection(flow.start(1, { workflowId: '' }))).message).toMatch(
      /workflowId is ""; expected a string that is not empty/,
    );
    expect(await flow.execute(2)).toBe(2);
  });
});

function positive() {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' && value > 0
          ? { value }
          : { issues: [{ message: 'expected a positive number' }] },
      types: undefined as unknown as { input: number; output: number },
    },
  };
}
