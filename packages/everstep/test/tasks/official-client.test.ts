import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { AsyncTask, signal, step, type AnyAsyncTask } from '../../src/index.ts';
import { running, storeKinds } from './running-component.ts';

const asks = (): AsyncTask<{ name: string }, string> =>
  new AsyncTask({
    name: 'asks',
    task: async function* ({ name }: { name: string }) {
      const greeting = yield* step('greet', () => `Hello ${name}`);
      const end = yield* signal<string>('end');
      return greeting + end;
    },
  });

describe.each(storeKinds)('the official client on tasks of the %s store', (kind) => {
  it('starts, signals, describes, queries, waits for and reads a task', async () => {
    const task = asks();
    const component = await running(kind, [task as AnyAsyncTask]);
    const client = component.getClient();
    const handle = await client.workflow.start(task.workflowType, {
      taskQueue: 'async-tasks',
      workflowId: 'greeting',
      args: [{ name: 'you' }],
    });
    for await (const { completedSteps } of task.watch('greeting')) {
      if (completedSteps?.includes('greet')) break;
    }
    expect(await handle.query('getProgress')).toMatchObject({
      status: 'processing',
      completedSteps: ['greet'],
    });
    expect(await handle.describe()).toMatchObject({
      type: 'asyncTask_asks',
      taskQueue: 'async-tasks',
      status: { name: 'RUNNING' },
    });
    await handle.signal('end', '!');
    expect(await handle.result()).toBe('Hello you!');
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    const { events } = await handle.fetchHistory();
    expect(events?.[0]?.workflowExecutionStartedEventAttributes).toBeTruthy();
    expect(events?.at(-1)?.workflowExecutionCompletedEventAttributes).toBeTruthy();
    expect(await task.getStatus('greeting')).toMatchObject({ status: 'completed' });
  });

  it('is told of a running id, an unknown id, a cancel and a termination', async () => {
    const task = asks();
    const component = await running(kind, [task as AnyAsyncTask]);
    const { workflow } = component.getClient();
    const start = (workflowId: string) =>
      workflow.start(task.workflowType, {
        taskQueue: 'async-tasks',
        workflowId,
        args: [{ name: 'you' }],
      });
    const first = await start('one');
    await expect(start('one')).rejects.toBeInstanceOf(WorkflowExecutionAlreadyStartedError);
    await expect(workflow.getHandle('nobody').describe()).rejects.toBeInstanceOf(
      WorkflowNotFoundError,
    );
    await first.cancel();
    await expect(first.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await first.describe()).status.name).toBe('CANCELLED');
    const second = await start('two');
    await second.terminate('enough');
    await expect(second.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await second.describe()).status.name).toBe('TERMINATED');
  });
});
