import { availableParallelism } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { serverAddress } from '../../test/tasks/running-component.ts';
import { writtenFolder } from '../../test/written-folder.ts';
import type { Logger } from '../service/logger.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { sleep, step } from '../tasks/steps.ts';
import type { WorkerManagerOptions } from './manager-options.ts';
import type { Found } from './runnable.ts';
import { WorkerManager } from './worker-manager.ts';

const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Nobody reads it.
}

function manager(options: WorkerManagerOptions = {}): WorkerManager {
  const made = new WorkerManager({ store: 'memory', logger: silent, gracePeriod: 0, ...options });
  onTestFinished(() => made.stop());
  return made;
}

function integration(name: string, ...tasks: readonly AsyncTask<never, unknown>[]): Found {
  return { integrationName: name, integrationPath: `/${name}`, taskQueue: `${name}-tasks`, tasks };
}

function states(of: WorkerManager): object {
  return of.status().map(({ name, taskQueue, state }) => ({ name, taskQueue, state }));
}

it('runs the tasks of each integration on a worker of its own, and one with a queue on one there', async () => {
  const double = new AsyncTask({ name: 'double', task: async (n: number) => n * 2 });
  const steps = new AsyncTask({
    name: 'steps',
    task: function* (n: number) {
      const next = yield* step('next', () => n + 1);
      return yield* step('square', () => next * next);
    },
  });
  const apart = new AsyncTask({ name: 'apart', taskQueue: 'gpu', task: async () => 'there' });
  const workers = manager();
  await workers.create([integration('sums', double, apart), integration('squares', steps)]);
  expect(states(workers)).toEqual([
    { name: 'sums', taskQueue: 'async-tasks', state: 'created' },
    { name: 'sums', taskQueue: 'gpu', state: 'created' },
    { name: 'squares', taskQueue: 'async-tasks', state: 'created' },
  ]);
  const early = await steps.submit(2);
  await workers.start();
  expect(workers.status().map(({ state, polls, running }) => [state, polls, running])).toEqual([
    ['running', 2, 0],
    ['running', 2, 0],
    ['running', 2, 0],
  ]);
  expect(await steps.result(early)).toBe(9);
  expect(await double.result(await double.submit(4))).toBe(8);
  expect(await apart.result(await apart.submit())).toBe('there');
});

it('leaves the steps of one integration alone while another is stopped and started', async () => {
  const waiting = new AsyncTask({
    name: 'waiting',
    task: function* (): Generator<unknown, string, never> {
      yield* sleep(1);
      return 'woken';
    },
  });
  const other = new AsyncTask({ name: 'other', task: async () => 'done' });
  const workers = manager();
  await workers.create([integration('one', waiting), integration('two', other)]);
  await workers.start('two');
  const id = await waiting.submit();
  expect(await other.result(await other.submit())).toBe('done');
  expect((await waiting.getStatus(id)).status).toBe('pending');
  await workers.start('one');
  expect(await waiting.result(id)).toBe('woken');
  await workers.stop('one');
  expect(workers.status().map(({ name, state }) => [name, state])).toEqual([
    ['one', 'stopped'],
    ['two', 'running'],
  ]);
  expect(await other.result(await other.submit())).toBe('done');
});

it('lets a step that outlives the stop of its integration end, beside others that go on', async () => {
  let open: () => void = ignore;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let runs = 0;
  const long = new AsyncTask({
    name: 'long',
    task: async () => {
      runs += 1;
      await opened;
      return runs;
    },
  });
  const other = new AsyncTask({ name: 'other', task: async () => 'done' });
  const workers = manager();
  await workers.create([integration('slow', long), integration('quick', other)]);
  await workers.start();
  const id = await long.submit();
  await expect.poll(() => workers.status()[0]?.running).toBe(1);
  await workers.stop('slow');
  expect(workers.status()[0]).toMatchObject({ state: 'draining', polls: 0, running: 1 });
  await expect(workers.start('slow')).rejects.toMatchObject({ code: 'COMPONENT_STATE' });
  expect(await other.result(await other.submit())).toBe('done');
  open();
  await expect.poll(() => workers.status()[0]?.state).toBe('stopped');
  await workers.start('slow');
  expect(await long.result(id)).toBe(1);
});

it('runs what can be run of a folder, and says of the rest what is wrong', async () => {
  const folder = writtenFolder({
    'broken/index.mjs': 'throw new TypeError("not today");',
    'fine/index.mjs': `import { AsyncTask } from 'everstep';
      export const createAsyncTasks = () => [new AsyncTask({ name: 'fine', task: async () => 1 })];`,
  });
  const workers = manager();
  await workers.create(folder);
  await workers.start();
  expect(workers.status()).toMatchObject([
    { name: 'fine', state: 'running' },
    { name: 'broken', state: 'failed', lastError: expect.stringContaining('not today') as string },
  ]);
  const handle = await workers.getClient().workflow.start('asyncTask_fine', {
    taskQueue: 'async-tasks',
    workflowId: 'one',
    args: [],
  });
  expect(await handle.result()).toBe(1);
  const strict = manager({ strict: true });
  await expect(strict.create(folder)).rejects.toMatchObject({ code: 'MODULE_LOAD_FAILED' });
});

it('begins no worker that a stop has come before', async () => {
  const workers = manager();
  const names = Array.from({ length: availableParallelism() + 4 }, (_, index) => `some-${index}`);
  await workers.create(
    names.map((name) => integration(name, new AsyncTask({ name, task: async () => name }))),
  );
  const starting = workers.start();
  await workers.connect();
  await Promise.all([workers.stop(), starting]);
  expect(new Set(workers.status().map(({ state }) => state))).toEqual(new Set(['stopped']));
});

it('runs on a server also what was created after a start, once it is started', async () => {
  const one = new AsyncTask({ name: 'one', task: async () => 1 });
  const two = new AsyncTask({ name: 'two', task: async () => 2 });
  const workers = new WorkerManager({
    temporalAddress: await serverAddress(),
    logger: silent,
    gracePeriod: 0,
  });
  onTestFinished(() => workers.stop());
  await workers.create([integration('first', one)]);
  await workers.start();
  expect(await one.result(await one.submit())).toBe(1);
  await workers.create([integration('second', two)]);
  const waiting = await two.submit();
  await workers.start('second');
  expect(await two.result(waiting)).toBe(2);
  expect(await one.result(await one.submit())).toBe(1);
});

it('writes its build id into the history of what it worked on', async () => {
  const task = new AsyncTask({ name: 'built', task: async () => 1 });
  const workers = manager({ buildId: 'abc' });
  await workers.create([integration('one', task)]);
  await workers.start();
  const id = await task.submit();
  await task.result(id);
  const { events } = await workers.getClient().workflow.getHandle(id).fetchHistory();
  const builds = events?.flatMap(
    ({ workflowTaskCompletedEventAttributes: done }) => done?.workerVersion?.buildId ?? [],
  );
  expect(new Set(builds)).toEqual(new Set(['abc']));
});

it('says what is wrong with how it is used', async () => {
  const task = new AsyncTask({ name: 'held', task: async () => 1 });
  const workers = manager();
  expect(() => workers.getClient()).toThrow('call connect() first');
  await workers.create([integration('one', task)]);
  const found = integration('one');
  await expect(workers.create([found])).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
  const twice = [integration('three'), integration('three')];
  await expect(workers.create(twice)).rejects.toThrow('two integrations named "three"');
  const onOne = new AsyncTask({ name: 'on-one', taskQueue: 'gpu', task: async () => 1 });
  const onTwo = new AsyncTask({ name: 'on-two', taskQueue: 'gpu', task: async () => 2 });
  await expect(
    workers.create([integration('gpu-1', onOne), integration('gpu-2', onTwo)]),
  ).rejects.toThrow('"gpu-2" (/gpu-2) has the queue "gpu", which is that of "gpu-1" (/gpu-1)');
  await expect(workers.create([{} as Found])).rejects.toMatchObject({
    code: 'REGISTRATION_INVALID',
  });
  await expect(workers.start('two')).rejects.toThrow('there are: one, gpu-1');
  await expect(manager().create([integration('x', task)])).rejects.toMatchObject({
    code: 'COMPONENT_STATE',
  });
  await workers.stop();
  await expect(workers.connect()).rejects.toMatchObject({ code: 'COMPONENT_STATE' });
});

it('refuses options that cannot be, by their name', () => {
  const message = (options: unknown): string => {
    try {
      new WorkerManager(options as WorkerManagerOptions);
    } catch (error) {
      return (error as Error).message;
    }
    return 'taken';
  };
  expect(message({ isolation: 'thread' })).toContain('isolation is "thread"');
  expect(message({ store: 'memory', isolation: 'process' })).toContain('sqlite:<path>');
  expect(message({ store: 'postgres://127.0.0.1/app', isolation: 'process' })).toBe('taken');
  expect(message({ store: 'mysql://127.0.0.1/app', isolation: 'process' })).toBe('taken');
  expect(message({ memoryMaxMb: 100 })).toContain("give isolation: 'process' with it");
  expect(message({ isolation: 'process', memoryMaxMb: 1 })).toContain('memoryMaxMb is 1');
  expect(message({ gracePeriod: 'soon' })).toContain('gracePeriod');
  expect(message({ restart: { first: 1 } })).toContain('restart.first');
  expect(message({ port: 1 })).toContain('WorkerManager: there is no option port');
  expect(message({ worker: false })).toContain('no option worker');
});
