/** The official worker and client over gRPC against a server of ours: what users' workflows do must run as they know it. */
import { randomUUID } from 'node:crypto';
import { Context, CancelledFailure } from '@temporalio/activity';
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorker, quietWorkers, startGateway, type GatewayHost } from './gateway-host.ts';
import type * as workflows from './gateway-workflows.ts';

const taskQueue = 'conformance';
const attempts = new Map<string, number>();
let host: GatewayHost;
let worker: Worker;
let running: Promise<void>;

const activities = {
  greet: (name: string) => Promise.resolve(`Hello, ${name}!`),
  failTwice: (key: string) => {
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    if (attempt < 3) throw new RangeError('not yet');
    return Promise.resolve(Context.current().info.attempt);
  },
  refuse: () => {
    throw Object.assign(new TypeError('no'), { name: 'TypeError' });
  },
  heartbeatUntilCancelled: async () => {
    const context = Context.current();
    for (;;) {
      context.heartbeat('alive');
      await context.sleep(50);
    }
  },
};

beforeAll(async () => {
  quietWorkers();
  host = await startGateway();
  worker = await makeWorker(host, taskQueue, { activities });
  running = worker.run();
}, 120_000);

afterAll(async () => {
  worker.shutdown();
  await running;
  await host.stop();
});

type Workflows = typeof workflows;
type Name = {
  [K in keyof Workflows]: Workflows[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof Workflows];

function start<K extends Name>(name: K, ...args: Parameters<Workflows[K]>) {
  return host.client.workflow.start<Workflows[K]>(name, {
    taskQueue,
    workflowId: `${name}-${randomUUID()}`,
    args: args as never,
  });
}

async function eventTypes(handle: { fetchHistory(): Promise<{ events?: unknown }> }) {
  const { events } = (await handle.fetchHistory()) as { events?: { eventType?: number }[] };
  return (events ?? []).map(({ eventType }) => eventType);
}

it('runs an activity and gives its result', async () => {
  const handle = await start('greeting', 'Ada');
  expect(await handle.result()).toBe('Hello, Ada!');
  // Started, task scheduled, started, completed, activity scheduled, started, completed, task …, completed.
  expect(await eventTypes(handle)).toEqual([1, 5, 6, 7, 10, 11, 12, 5, 6, 7, 2]);
});

it('runs steps one after another on one sticky worker', async () => {
  expect(await (await start('manySteps', 20)).result()).toBe(20);
});

it('retries an activity and counts its attempts (AC-7)', async () => {
  expect(await (await start('retried', randomUUID())).result()).toBe(3);
});

it('carries the failure tree of an activity to the client', async () => {
  const error = await (await start('refused')).result().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toMatchObject({
    message: 'it was refused',
    type: 'Refused',
    details: ['refuse'],
  });
});

it('keeps local activities as markers', async () => {
  const handle = await start('localGreeting', 'Bo');
  expect(await handle.result()).toBe('Hello, Bo!');
  expect(await eventTypes(handle)).toContain(25);
});

it('fires a timer, not early (TM-2)', async () => {
  const before = Date.now();
  expect(await (await start('sleeper', 250)).result()).toBe('awake');
  expect(Date.now() - before).toBeGreaterThanOrEqual(250);
});

it('delivers signals, and answers queries while open and after the close (QY-3, QY-5)', async () => {
  const handle = await start('counter', 5);
  await handle.signal('add', 2);
  expect(await handle.query('total')).toBe(2);
  await handle.signal('add', 3);
  expect(await handle.result()).toBe(5);
  expect(await handle.query('total')).toBe(5);
});

/** The types of the events that it has then. */
async function fillsBasket(queue: string): Promise<(number | undefined)[]> {
  const basket = await host.client.workflow.start<Workflows['basket']>('basket', {
    taskQueue: queue,
    workflowId: `basket-${randomUUID()}`,
    args: [3],
  });
  const put = (item: string) => basket.executeUpdate('putIn', { args: [item] });
  const refusalOf = async (item: string): Promise<string> => {
    const error = (await put(item).catch((thrown: unknown) => thrown)) as Error;
    return (error.cause as Error).message;
  };
  expect(await put('fig')).toBe(1);
  expect(await refusalOf('fig')).toBe('fig is in it already');
  expect(await refusalOf('fig')).toBe('fig is in it already');
  expect(await put('pear')).toBe(2);
  expect(await refusalOf('pear')).toBe('pear is in it already');
  expect(await put('plum')).toBe(3);
  expect(await basket.result()).toEqual(['fig', 'pear', 'plum']);
  return eventTypes(basket);
}

// The first update may come with the run's first workflow task, or have one of its own; the others have one each.
const completions = [3, 4];

it('takes updates, and one that is refused leaves no event (WT-38, WT-26)', async () => {
  const types = await fillsBasket(taskQueue);
  expect(completions).toContain(types.filter((type) => type === 7).length);
});

it('does so of a worker that holds no run too, and is sent its history each time (WT-11, WT-38)', async () => {
  const queue = `forgetful-${randomUUID()}`;
  const forgetful = await makeWorker(host, queue, { activities, maxCachedWorkflows: 0 });
  const types = await forgetful.runUntil(() => fillsBasket(queue));
  expect(completions).toContain(types.filter((type) => type === 7).length);
}, 60_000);

it('runs children at once and carries their failures (CH-3)', async () => {
  expect(await (await start('parent', ['a', 'b', 'c'])).result()).toEqual([
    'Hello, a!',
    'Hello, b!',
    'Hello, c!',
  ]);
  expect(await (await start('parentOfFailing')).result()).toBe('it was refused');
});

it('signals a child and another workflow from within a workflow (SG-4)', async () => {
  expect(await (await start('signalsChild')).result()).toBe(5);
});

it('continues as new, and the client follows the chain (CN-1)', async () => {
  const handle = await start('countsDown', 3);
  expect(await handle.result()).toBe('lift-off');
  const [first] = [handle.firstExecutionRunId];
  const { raw } = await handle.describe();
  expect(raw.workflowExecutionInfo?.firstRunId).toBe(first);
  expect(raw.workflowExecutionInfo?.execution?.runId).not.toBe(first);
});

it('cancels a workflow, which may clean up', async () => {
  const handle = await start('cleansUp');
  await handle.cancel();
  expect(await handle.result()).toBe('Hello, cleaner!');
});

it('cancels a running activity by its heartbeat (AC-11)', async () => {
  const handle = await start('cancelsActivity');
  await expect
    .poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.heartbeatDetails, {
      timeout: 10_000,
    })
    .toBeTruthy();
  await handle.cancel();
  const error = await handle.result().catch((thrown: unknown) => thrown);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
});

it('terminates, describes and counts by status', async () => {
  const handle = await start('sleeper', 3_600_000);
  await handle.terminate('enough');
  await expect(handle.result()).rejects.toBeInstanceOf(WorkflowFailedError);
  expect((await handle.describe()).status.name).toBe('TERMINATED');
  const { groups } = await host.client.workflow.count('GROUP BY ExecutionStatus');
  expect(groups.flatMap(({ groupValues }) => groupValues.flat())).toContain('Terminated');
  await expect(handle.signal('add', 1)).rejects.toBeInstanceOf(WorkflowNotFoundError);
});

it('lists what it ran, page after page', async () => {
  const ids = new Set<string>();
  for await (const { workflowId } of host.client.workflow.list({
    query: "WorkflowType = 'greeting'",
    pageSize: 2,
  })) {
    ids.add(workflowId);
  }
  expect(ids.size).toBeGreaterThanOrEqual(4);
});
