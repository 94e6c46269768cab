/** What those get who wait for a task, or ask for one, when its component stops. */
import { describe, expect, it } from 'vitest';
import { AsyncTask, signal } from '../../src/index.ts';
import { rejection, running, storeKinds } from './running-component.ts';

describe.each(storeKinds)('a component that is stopped, on the %s store', (kind) => {
  async function waiting() {
    const task = new AsyncTask({
      name: 'waits',
      task: function* () {
        yield* signal('never');
      },
    });
    const component = await running(kind, [task]);
    return { task, component, id: await task.submit(undefined) };
  }

  it('ends a result that is waited for with TASK_NOT_CONNECTED', async () => {
    const { task, component, id } = await waiting();
    const result = rejection(task.result(id));
    const timed = rejection(task.result(id, { timeout: '1h' }));
    await component.stop();
    for (const error of [await result, await timed]) {
      expect(error).toMatchObject({ code: 'TASK_NOT_CONNECTED', taskId: id });
      expect(error.message).toContain('The component was stopped');
    }
  });

  it('ends a watch with TASK_NOT_CONNECTED', async () => {
    const { task, component, id } = await waiting();
    const watch = task.watch(id);
    expect((await watch.next()).value).toMatchObject({ status: 'pending' });
    const next = rejection(watch.next());
    await component.stop();
    expect(await next).toMatchObject({ code: 'TASK_NOT_CONNECTED', taskId: id });
  });

  it('ends what the official client waits for as UNAVAILABLE, and refuses its calls likewise', async () => {
    const { component, id } = await waiting();
    const handle = component.getClient().workflow.getHandle(id);
    const result = rejection(handle.result());
    await component.stop();
    const unavailable = { code: 14, details: 'The engine is stopped.' };
    const grpcOf = (error: Error): unknown => ('details' in error ? error : error.cause);
    expect(grpcOf(await result)).toMatchObject(unavailable);
    expect(grpcOf(await rejection(handle.describe()))).toMatchObject(unavailable);
  });

  it('says so to whoever asks later, and does not advise to start it again', async () => {
    const { task, component, id } = await waiting();
    await component.stop();
    const error = await rejection(task.getStatus(id));
    expect(error).toMatchObject({ code: 'TASK_NOT_CONNECTED' });
    expect(error.message).toMatch(/its component was stopped.*new AsyncTaskComponent/);
    expect(() => component.getClient()).toThrow(/was stopped\. Make a new AsyncTaskComponent/);
  });
});
