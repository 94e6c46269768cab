/** A component whose store has failed for good: it says so everywhere, and is stopped at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { AsyncTask, signal, type AsyncTaskComponent, type Logger } from '../../src/index.ts';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { gate, rejection, running, silent } from './running-component.ts';

/** A step that runs on, and a task that waits; then the file is deleted, and found to be. */
async function failed() {
  const folder = mkdtempSync(join(tmpdir(), 'everstep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let now = 0;
  const store = new SqliteStore({ path: join(folder, 'tasks.db'), monotonicNow: () => now });
  const begun = gate();
  const finish = gate();
  const steps = new AsyncTask({
    name: 'steps',
    task: async () => {
      begun.open();
      await finish.opened;
    },
  });
  const waits = new AsyncTask({
    name: 'waits',
    task: function* () {
      yield* signal('never');
    },
  });
  const errors: string[] = [];
  const logger: Logger = { ...silent, error: (message) => errors.push(message) };
  const component = await running('memory', [steps, waits], { store, logger });
  await steps.submit(undefined);
  await begun.opened;
  const id = await waits.submit(undefined);
  const result = rejection(waits.result(id));
  expect(component.isStarted()).toBe(true);
  rmSync(folder, { recursive: true });
  now += 1_000;
  return { component, steps, waits, id, result, errors, finish };
}

it('refuses submits and reads with COMPONENT_FAILED, and says why', async () => {
  const { waits, id, result } = await failed();
  const submitted = await rejection(waits.submit(undefined, { taskId: 'late' }));
  expect(submitted).toMatchObject({ code: 'COMPONENT_FAILED', taskId: 'late' });
  expect(submitted.message).toMatch(/tasks\.db was deleted, moved or replaced/);
  expect(await result).toMatchObject({ code: 'COMPONENT_FAILED', taskId: id });
  for (const call of [
    () => waits.getStatus(id),
    () => waits.cancel(id),
    () => waits.result(id),
    () => waits.watch(id).next(),
  ]) {
    expect(await rejection(call())).toMatchObject({ code: 'COMPONENT_FAILED', taskId: id });
  }
  expect(await rejection(waits.list().page())).toMatchObject({ code: 'COMPONENT_FAILED' });
});

it('is not started any more, and the log says so once', async () => {
  const { component, waits, id, errors } = await failed();
  await rejection(waits.cancel(id));
  expect(component.isStarted()).toBe(false);
  await rejection(waits.cancel(id));
  expect(errors.filter((message) => message.startsWith('The store failed for good'))).toHaveLength(
    1,
  );
});

it.each(['a step that runs on', 'a step that cannot answer'])(
  'stops at once, with %s',
  async (which) => {
    const { component, waits, id, finish } = await failed();
    await rejection(waits.cancel(id));
    if (which === 'a step that cannot answer') finish.open();
    expect(await stopMs(component)).toBeLessThan(2_000);
  },
);

/** The grace period is 10 s. */
async function stopMs(component: AsyncTaskComponent): Promise<number> {
  const before = performance.now();
  await component.stop();
  return performance.now() - before;
}
