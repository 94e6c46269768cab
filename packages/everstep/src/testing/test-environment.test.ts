import { afterEach, describe, expect, it } from 'vitest';
import { activity } from '../tasks/activity.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { all, signal, sleep, step } from '../tasks/steps.ts';
import { workflow } from '../tasks/workflow.ts';
import { TestEnvironment, type TestEnvironmentOptions } from './test-environment.ts';

const hour = 60 * 60_000;
const environments: TestEnvironment[] = [];

async function start(
  items: Parameters<typeof TestEnvironment.start>[0],
  options?: TestEnvironmentOptions,
): Promise<TestEnvironment> {
  const environment = await TestEnvironment.start(items, options);
  environments.push(environment);
  return environment;
}

afterEach(async () => {
  await Promise.all(environments.splice(0).map((environment) => environment.stop()));
});

const reminder = new AsyncTask({
  name: 'reminder',
  task: async function* ({ to }: { to: string }) {
    yield* sleep('1 day');
    return yield* step('send', (): string => `sent to ${to}`);
  },
});

const flaky = new AsyncTask({
  name: 'flaky',
  retryPolicy: { maxRetries: 3, initialDelay: '1h', backoffMultiplier: 2, maxDelay: '1 day' },
  task: async (_params: undefined, { attempt }) => {
    if (attempt < 4) throw new Error(`attempt ${attempt} broke`);
    return attempt;
  },
});

describe('time', () => {
  it('passes by itself while a result is awaited', async () => {
    const environment = await start([reminder], { now: '2026-03-01T12:00:00Z' });
    const task = environment.get(reminder);
    const id = await task.submit({ to: 'ada' });
    expect(await task.result(id)).toBe('sent to ada');
    expect(environment.now()).toBe(Date.parse('2026-03-02T12:00:00Z'));
  });

  it('passes through the waits of retries', async () => {
    const environment = await start([flaky]);
    const before = environment.now();
    const task = environment.get(flaky);
    expect(await task.result(await task.submit(undefined))).toBe(4);
    expect(environment.now() - before).toBe(7 * hour);
  });

  it('stands still otherwise, and passes when it is told to', async () => {
    const environment = await start([reminder]);
    const task = environment.get(reminder);
    const id = await task.submit({ to: 'ada' });
    await environment.settled();
    expect((await task.getStatus(id)).status).toBe('processing');
    await environment.skip('23h');
    expect((await task.getStatus(id)).status).toBe('processing');
    await environment.skip('1h');
    expect(await task.getStatus(id)).toMatchObject({ status: 'completed', result: 'sent to ada' });
  });

  it('goes from deadline to deadline, in their order', async () => {
    const seen: number[] = [];
    const ticks = new AsyncTask({
      name: 'ticks',
      task: async function* () {
        for (let tick = 0; tick < 24; tick += 1) {
          yield* sleep('1h');
          yield* step('tick', async () => {
            await new Promise((resolve) => setTimeout(resolve, 1));
            seen.push(tick);
          });
        }
      },
    });
    const environment = await start([ticks], { timeSkipping: false });
    const task = environment.get(ticks);
    const id = await task.submit(undefined);
    await environment.skip('12h');
    expect(seen).toHaveLength(12);
    await environment.skip('1 day');
    expect(seen).toEqual(Array.from({ length: 24 }, (_, tick) => tick));
    expect((await task.getStatus(id)).status).toBe('completed');
  });

  it('does not pass while a step runs', async () => {
    const slow = new AsyncTask({
      name: 'slow',
      timeouts: { startToClose: '10 s' },
      task: async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return 'done';
      },
    });
    const environment = await start([slow]);
    const before = environment.now();
    const task = environment.get(slow);
    expect(await task.result(await task.submit(undefined))).toBe('done');
    expect(environment.now()).toBe(before);
  });

  it('lets a step that hangs time out', async () => {
    const hangs = new AsyncTask({
      name: 'hangs',
      retryPolicy: { maxRetries: 0 },
      timeouts: { startToClose: '10 s' },
      task: (_params: undefined, { signal: stop }): Promise<string> =>
        new Promise((_resolve, reject) => {
          stop.addEventListener('abort', () => reject(stop.reason as Error));
        }),
    });
    const environment = await start([hangs]);
    const task = environment.get(hangs);
    const id = await task.submit(undefined);
    await environment.skip('11 s');
    expect((await task.getStatus(id)).status).toBe('failed');
  });

  it('passes for steps that wait for the limit of their task', async () => {
    const limited = new AsyncTask({
      name: 'limited',
      limit: { perSecond: 2 },
      task: async function* () {
        return yield* all(
          Array.from({ length: 6 }, (_, number) => step(`call ${number}`, () => number)),
        );
      },
    });
    const environment = await start([limited]);
    const before = environment.now();
    const task = environment.get(limited);
    expect(await task.result(await task.submit(undefined))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(environment.now() - before).toBeGreaterThanOrEqual(2_000);
  });
});

describe('environments', () => {
  it('know nothing of each other, though their tasks are the same', async () => {
    const [first, second] = await Promise.all([start([reminder]), start([reminder])]);
    const id = await first.get(reminder).submit({ to: 'ada' }, { taskId: 'one' });
    expect((await second.get(reminder).getStatus(id)).status).toBe('not_found');
    await first.skip('2 days');
    expect((await first.get(reminder).getStatus(id)).status).toBe('completed');
    expect(first.now() - second.now()).toBe(48 * hour);
  });

  it('leave the task itself as it was', async () => {
    await start([reminder]);
    await expect(reminder.submit({ to: 'ada' })).rejects.toMatchObject({
      code: 'TASK_NOT_CONNECTED',
    });
  });

  it('take signals from an official client', async () => {
    const approval = new AsyncTask({
      name: 'approval',
      task: async function* () {
        return yield* signal<string>('decision');
      },
    });
    const environment = await start([approval]);
    const task = environment.get(approval);
    const id = await task.submit(undefined);
    await environment.client.workflow.getHandle(id).signal('decision', 'yes');
    expect(await task.result(id)).toBe('yes');
  });
});

describe('mocks', () => {
  const charge = activity({ name: 'charge', run: (cents: number): string => `charged ${cents}` });
  const order = workflow({ name: 'order' }, async (ctx, cents: number) => {
    const paid = await ctx.executeActivity(charge, cents);
    await ctx.sleep('3 days');
    return `${paid}, ${await ctx.step('ship', () => 'shipped')}`;
  });

  it('run in the place of steps and activities', async () => {
    const environment = await start([order, charge, reminder]);
    const inputs: number[] = [];
    environment.mockActivity(charge, (cents) => {
      inputs.push(cents);
      return 'mocked';
    });
    environment.mockStep(order, 'ship', () => 'not shipped');
    environment.mockStep(reminder, 'send', ({ attempt }) => `attempt ${attempt}`);
    expect(await environment.get(order).execute(500)).toBe('mocked, not shipped');
    expect(inputs).toEqual([500]);
    const task = environment.get(reminder);
    expect(await task.result(await task.submit({ to: 'ada' }))).toBe('attempt 1');
  });

  it('warn at the end of a key that no step had, once other steps ran', async () => {
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    const warn = (line: string): void => void warnings.push(line);
    const logger = { debug: ignore, info: ignore, warn, error: ignore };
    const environment = await TestEnvironment.start([reminder, flaky], { logger });
    environment.mockStep(reminder, 'sent', () => 'never');
    environment.mockStep(reminder, 'send', () => 'mocked');
    environment.mockStep(flaky, 'other', () => 'not asked');
    const task = environment.get(reminder);
    expect(await task.result(await task.submit({ to: 'ada' }))).toBe('mocked');
    await environment.stop();
    expect(warnings).toEqual([
      'mockStep(): asyncTask_reminder ran no step "sent", so its mock was not used; the steps that ran are "send"',
    ]);
  });

  it('fail the attempt with what they throw, and are retried', async () => {
    const environment = await start([reminder]);
    let calls = 0;
    environment.mockStep(reminder, 'send', () => {
      calls += 1;
      if (calls < 3) throw new Error('429');
      return 'at last';
    });
    const task = environment.get(reminder);
    expect(await task.result(await task.submit({ to: 'ada' }))).toBe('at last');
    expect(calls).toBe(3);
  });
});

describe('what it refuses', () => {
  it('names the option, what was wrong and what is expected', async () => {
    const cases: [() => Promise<unknown>, string, string][] = [
      [() => start('x' as never), 'TEST_OPTIONS_INVALID', 'the first argument is no list'],
      [() => start(['x' as never]), 'TEST_OPTIONS_INVALID', 'the list holds x'],
      [() => start([reminder, reminder]), 'DUPLICATE_NAME', 'the task "reminder" is there twice'],
      [() => start([], { now: 'soon' }), 'TEST_OPTIONS_INVALID', 'options.now is soon'],
      [() => start([], { clock: 1 } as never), 'TEST_OPTIONS_INVALID', 'clock is no field'],
      [
        () => start([], { timeSkipping: 'no' as never }),
        'TEST_OPTIONS_INVALID',
        'options.timeSkipping is no',
      ],
      [async () => (await start([])).get(reminder), 'TEST_NOT_REGISTERED', 'the task "reminder"'],
      [async () => (await start([])).skip(-1), 'TEST_OPTIONS_INVALID', 'the span is -1'],
      [
        async () => (await start([reminder])).mockStep(reminder, '', () => 1),
        'TEST_OPTIONS_INVALID',
        'the key is ',
      ],
      [
        async () => (await start([])).mockActivity('charge', 'yes' as never),
        'TEST_OPTIONS_INVALID',
        'the mock is yes',
      ],
    ];
    for (const [run, code, message] of cases) {
      const error = await run().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code });
      expect((error as Error).message).toContain(message);
    }
  });
});
