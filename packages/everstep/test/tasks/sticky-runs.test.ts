/** What a worker on a server reads and asks for: new events only, and steps with the answer that scheduled them. */
import { Client, Connection } from '@temporalio/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { remoteService } from '../../src/service/remote-service.ts';
import { systemClock, systemRandom } from '../../src/service/system-clock.ts';
import { AsyncTask } from '../../src/tasks/async-task.ts';
import { step } from '../../src/tasks/steps.ts';
import type { TaskWorkerOptions } from '../../src/tasks/task-worker-options.ts';
import { TaskWorker } from '../../src/tasks/task-worker.ts';
import { workflow, type Workflow } from '../../src/tasks/workflow.ts';
import { counted } from '../temporal/counted-service.ts';
import { gate, serverAddress, silent } from './running-component.ts';

/** Set where the tests run on Temporal's own server, which grants no eager steps unless it is told to. */
const underTest = process.env['EVERSTEP_TEST_SERVER'] !== undefined;

async function world(
  task: AsyncTask<{ n: number }, unknown> | Workflow<void, unknown>,
  address: string,
) {
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  const client = new Client({ connection, namespace: 'default' });
  task.setClient(client);
  const work = async (
    options: Partial<TaskWorkerOptions> = {},
  ): Promise<{ worker: TaskWorker; calls: Map<string, number> }> => {
    const calls = new Map<string, number>();
    const worker = new TaskWorker({
      service: counted(remoteService(connection), calls),
      tasks: [task.definition],
      namespace: 'default',
      identity: 'here',
      clock: systemClock,
      random: systemRandom,
      logger: silent,
      dataConverter: client.options.loadedDataConverter,
      ...options,
    });
    await worker.start();
    onTestFinished(() => worker.stop(0));
    return { worker, calls };
  };
  return { client, work };
}

function fiveSteps(name: string, before?: (at: number, n: number) => Promise<void>) {
  return new AsyncTask({
    name,
    taskQueue: `${name}-${systemRandom.uuid()}`,
    task: async function* ({ n }: { n: number }) {
      let sum = n;
      for (let at = 1; at <= 5; at += 1) {
        sum += yield* step(`s${at}`, async () => {
          await before?.(at, n);
          return at;
        });
      }
      return sum;
    },
  });
}

describe('a worker on a server', () => {
  it('reads what is new of a history, and is given steps with the answer where that is granted', async () => {
    const task = fiveSteps('new-events');
    const { work } = await world(task, await serverAddress());
    const { calls } = await work();
    expect(await task.result(await task.submit({ n: 100 }))).toBe(115);
    // Three events with the first workflow task, and six with each of the others.
    expect(calls.get('events')).toBe(3 + 5 * 6);
    expect(calls.get('getWorkflowExecutionHistory')).toBeUndefined();
    expect(calls.get('pollActivityTaskQueue')).toBe(underTest ? 5 : undefined);
  }, 60_000);

  it('goes on from where it was when an update it refused has left nothing (WT-26)', async () => {
    const flow = workflow(
      { name: 'refusing', taskQueue: `refusing-${systemRandom.uuid()}` },
      async (ctx) => {
        const taken: string[] = [];
        ctx.setUpdateHandler('add', {
          validator: (item: string) => {
            if (item === '') throw new RangeError('no item');
          },
          handler: (item: string) => taken.push(item),
        });
        await ctx.condition(() => taken.length === 1);
        return taken;
      },
    );
    const { client, work } = await world(flow, await serverAddress());
    const { calls } = await work();
    const handle = await client.workflow.start('refusing', {
      workflowId: systemRandom.uuid(),
      taskQueue: flow.definition.taskQueue ?? '',
    });
    // An update that came with the first workflow task would need none of its own.
    await vi.waitFor(() => expect(calls.get('events')).toBe(3), { timeout: 10_000 });
    for (let time = 1; time <= 3; time += 1) {
      const refused = handle.executeUpdate('add', { args: [''], updateId: 'one' });
      await expect(refused).rejects.toThrow('failed');
    }
    expect(await handle.executeUpdate('add', { args: ['a'], updateId: 'one' })).toBe(1);
    expect(await handle.result()).toEqual(['a']);
    // Three events with the first workflow task, and with each of the others its own two after the completion.
    expect(calls.get('events')).toBe(3 + 4 * 3);
    expect(calls.get('getWorkflowExecutionHistory')).toBeUndefined();
    const { events } = await handle.fetchHistory();
    expect(events).toHaveLength(4 + 3 + 3);
  }, 60_000);

  it('drives a run from its whole history where its cache has lost it', async () => {
    const others = gate();
    const task = fiveSteps('lost-cache', (at, n) =>
      at === 2 && n === 1 ? others.opened : Promise.resolve(),
    );
    const { work } = await world(task, await serverAddress());
    const { calls } = await work({ liveRunsMax: 1 });
    const first = await task.submit({ n: 1 });
    for (const n of [2, 3]) expect(await task.result(await task.submit({ n }))).toBe(n + 15);
    others.open();
    expect(await task.result(first)).toBe(16);
    expect(calls.get('getWorkflowExecutionHistory')).toBeGreaterThan(0);
  }, 60_000);

  it('leaves its runs to other workers when it stops, and says which code drove them', async () => {
    const reached = gate();
    const goOn = gate();
    const task = fiveSteps('build-ids', async (at) => {
      if (at !== 2) return;
      reached.open();
      await goOn.opened;
    });
    const { client, work } = await world(task, await serverAddress());
    const { worker } = await work({ buildId: 'one' });
    const id = await task.submit({ n: 0 });
    await reached.opened;
    // It drives no more, and its running step ends within the grace period: what follows is another's.
    const stopped = worker.stop(30_000);
    await work({ buildId: 'two' });
    goOn.open();
    await stopped;
    expect(await task.result(id)).toBe(15);
    const { events } = await client.workflow.getHandle(id).fetchHistory();
    const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
      completed ? [completed.workerVersion?.buildId] : [],
    );
    expect(builds).toEqual(['one', 'one', 'two', 'two', 'two', 'two']);
    const { searchAttributes } = await client.workflow.getHandle(id).describe();
    expect(searchAttributes['BuildIds']).toEqual(
      expect.arrayContaining(['unversioned:one', 'unversioned:two']),
    );
  }, 60_000);
});
