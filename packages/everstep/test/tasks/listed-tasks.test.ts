/** A list shows tasks, not their runs. */
import { expect, it } from 'vitest';
import {
  ApplicationFailure,
  AsyncTask,
  step,
  type ListQuery,
  type TaskSummary,
} from '../../src/index.ts';
import { TestEnvironment } from '../../src/testing/index.ts';
import { places, rejection, running } from './running-component.ts';

/** Fails until it is told to work. */
function fragile(): { readonly task: AsyncTask<undefined, string>; works: boolean } {
  const made = {
    works: false,
    task: new AsyncTask<undefined, string>({
      name: 'fragile',
      task: async function* () {
        yield* step('before', () => 1);
        return yield* step('odd', () => {
          if (!made.works) throw ApplicationFailure.nonRetryable('no');
          return 'done';
        });
      },
    }),
  };
  return made;
}

async function listed(
  task: AsyncTask<undefined, string>,
  query: ListQuery,
): Promise<TaskSummary[]> {
  const found: TaskSummary[] = [];
  for await (const one of task.list({ pageSize: 2, ...query })) found.push(one);
  return found;
}

it.each(places)('a task that was retried is listed once, on %s', async (place) => {
  const made = fragile();
  const { task } = made;
  await running(place, [task]);
  const ids = ['a', 'b'];
  for (const taskId of ids) {
    await task.submit(undefined, { taskId });
    await rejection(task.result(taskId));
    await task.retry(taskId);
    await rejection(task.result(taskId));
  }
  made.works = true;
  await task.retry('a');
  await task.result('a');
  const idsOf = async (query: ListQuery) => (await listed(task, query)).map(({ taskId }) => taskId);
  // A server's list may be a moment behind.
  await expect.poll(() => idsOf({}), { timeout: 10_000 }).toEqual(['a', 'b']);
  await expect.poll(() => idsOf({ status: 'completed' }), { timeout: 10_000 }).toEqual(['a']);
  expect(await idsOf({ status: 'failed' })).toEqual(['b']);
  expect(await idsOf({ status: 'running' })).toEqual([]);
  for (const { taskId, createdAt, completedAt } of await listed(task, {})) {
    const status = await task.getStatus(taskId);
    expect({ createdAt, completedAt }).toEqual({
      createdAt: status.createdAt,
      completedAt: status.completedAt,
    });
  }
  expect((await task.list({ status: 'completed', pageSize: 1 }).page()).tasks).toHaveLength(1);
});

it('a task that was retried is found by the time it was accepted, and no other', async () => {
  const made = fragile();
  const environment = await TestEnvironment.start([made.task]);
  const task = environment.get(made.task);
  const at: number[] = [];
  const next = async (): Promise<void> => {
    await environment.skip('1 minute');
    at.push(environment.now());
  };
  await task.submit(undefined, { taskId: 'a' });
  await rejection(task.result('a'));
  await next();
  await task.retry('a');
  await rejection(task.result('a'));
  await next();
  made.works = true;
  await task.retry('a');
  await task.result('a');
  await next();
  const [afterSubmit = 0, afterRetry = 0, afterEnd = 0] = at;
  const statuses = async (query: ListQuery): Promise<string[]> =>
    (await listed(task, query)).map(({ status }) => status);
  for (const until of [afterSubmit, afterRetry, afterEnd]) {
    expect(await statuses({ until })).toEqual(['completed']);
    expect(await statuses({ until, status: 'completed' })).toEqual(['completed']);
    expect(await statuses({ until, status: 'failed' })).toEqual([]);
    expect(await statuses({ since: until })).toEqual([]);
    expect(await statuses({ since: until, status: 'completed' })).toEqual([]);
  }
  expect(await statuses({ until: afterSubmit - 120_000 })).toEqual([]);
  expect(await statuses({ since: afterSubmit - 120_000, until: afterSubmit })).toEqual([
    'completed',
  ]);
  await environment.stop();
});
