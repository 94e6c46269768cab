/** What those get who wait for a task, or ask for one, when its component stops. */
import type { Payload } from '@temporalio/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EverstepServer } from '../../src/component/everstep-server.ts';
import {
  AsyncTask,
  AsyncTaskComponent,
  signal,
  step,
  type Logger,
  type Timeouts,
} from '../../src/index.ts';
import { MemoryData } from '../../src/store/memory/memory-data.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';
import { StoreTap } from '../store-tap.ts';
import { gate, rejection, running, silent, storeKinds } from './running-component.ts';

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

describe('a component that is stopped without a grace period', () => {
  const slowCodec = (encoding: { readonly begun: () => void; readonly until: Promise<void> }) => ({
    encode: async (payloads: Payload[]) => {
      if (payloads.some(({ data }) => Buffer.from(data ?? []).toString() === '"answer"')) {
        encoding.begun();
        await encoding.until;
      }
      return payloads;
    },
    decode: (payloads: Payload[]) => Promise.resolve(payloads),
  });

  function counted() {
    const calls = { count: 0 };
    const task = new AsyncTask({
      name: 'answers',
      task: () => {
        calls.count += 1;
        return Promise.resolve('answer');
      },
    });
    return { task, calls };
  }

  it('keeps the answer of a step that has ended, though its encoding lasts', async () => {
    const data = new MemoryData();
    const begun = gate();
    const until = gate();
    const first = counted();
    const component = await running('memory', [first.task], {
      store: new MemoryStore({ data }),
      dataConverter: {
        payloadCodecs: [slowCodec({ begun: () => begun.open(), until: until.opened })],
      },
    });
    const id = await first.task.submit(undefined);
    await begun.opened;
    const stopped = component.stop({ gracePeriod: 0 });
    until.open();
    await stopped;
    const second = counted();
    await running('memory', [second.task], { store: new MemoryStore({ data }) });
    expect(await second.task.result(id)).toBe('answer');
    expect(second.calls.count).toBe(0);
  });

  it('keeps the answer of a step whose commit is under way', async () => {
    const data = new MemoryData();
    const tap = new StoreTap();
    const first = counted();
    const component = await running('memory', [first.task], {
      store: tap.wrap(new MemoryStore({ data })),
    });
    const until = gate();
    const begun = gate();
    let commits = 0;
    tap.before = () => {
      commits += 1;
      if (commits < 2) return undefined;
      begun.open();
      return until.opened;
    };
    const id = await first.task.submit(undefined);
    await begun.opened;
    const stopped = component.stop({ gracePeriod: 0 });
    until.open();
    await stopped;
    const second = counted();
    await running('memory', [second.task], { store: new MemoryStore({ data }) });
    expect(await second.task.result(id)).toBe('answer');
    expect(second.calls.count).toBe(0);
  });

  it('does not wait for ever for an answer that does not come', async () => {
    const begun = gate();
    const { task } = counted();
    const component = await running('memory', [task], {
      dataConverter: {
        payloadCodecs: [
          slowCodec({ begun: () => begun.open(), until: new Promise(() => undefined) }),
        ],
      },
    });
    await task.submit(undefined);
    await begun.opened;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const stopped = component.stop({ gracePeriod: 0 });
    await vi.advanceTimersByTimeAsync(5_000);
    await expect(stopped).resolves.toBeUndefined();
  });
});

describe('a step that still runs when its component has stopped', () => {
  async function deaf(timeouts: Timeouts) {
    const begun = gate();
    const warnings: unknown[] = [];
    const logger: Logger = {
      ...silent,
      warn: (message, fields) => warnings.push([message, fields?.['step'], fields?.['task']]),
    };
    const task = new AsyncTask({
      name: 'deaf',
      timeouts,
      task: function* () {
        yield* step('listen', () => {
          begun.open();
          return new Promise(() => undefined);
        });
      },
    });
    const component = await running('memory', [task], { logger });
    const id = await task.submit(undefined);
    await begun.opened;
    return { component, task, id, warnings };
  }

  it('is named in the log, with its task', async () => {
    const { component, warnings } = await deaf({});
    await component.stop({ gracePeriod: 10 });
    expect(warnings).toEqual([[expect.stringContaining('it is handed back'), 'listen', 'deaf']]);
  });

  it('is named as one that does not heed its signal, once it has timed out', async () => {
    const { component, task, id, warnings } = await deaf({ scheduleToClose: 20 });
    await rejection(task.result(id));
    await component.stop({ gracePeriod: 10 });
    expect(warnings).toEqual([
      [expect.stringContaining('does not heed its signal'), 'listen', 'deaf'],
    ]);
  });
});

describe.each(storeKinds)('calls under way when a component stops, on the %s store', (kind) => {
  it('end with an answer or TASK_NOT_CONNECTED, never with an error of the wire', async () => {
    const task = new AsyncTask({
      name: 'waits',
      task: function* () {
        yield* signal('never');
      },
    });
    const component = await running(kind, [task]);
    const id = await task.submit(undefined);
    const other = await task.submit(undefined);
    const stopped = component.stop();
    const calls: Promise<unknown>[] = [];
    // Each begins at another moment of the stop.
    for (let moment = 0; moment < 30; moment += 1) {
      for (const call of [
        () => task.getStatus(id),
        () => task.cancel(other),
        () => task.list().page(),
        () => task.watch(id).next(),
        () => task.retry(id),
      ]) {
        calls.push(
          (async () => call())().then(
            () => undefined,
            (error: unknown) => error,
          ),
        );
      }
      await Promise.resolve();
    }
    await stopped;
    const errors = (await Promise.all(calls)).filter((error) => error !== undefined);
    const codes = new Set(errors.map((error) => (error as { code?: unknown }).code));
    codes.delete('TASK_NOT_RETRYABLE');
    codes.delete('TASK_ALREADY_ENDED');
    expect(codes).toEqual(new Set(['TASK_NOT_CONNECTED']));
  });
});

it('ends calls that wait to be tried again, when it is stopped while its server is away', async () => {
  const host = '127.0.0.1';
  const namespaces = ['default'];
  const server = new EverstepServer({
    store: 'memory',
    host,
    port: 0,
    namespaces,
    retentionMs: 86_400_000,
    logger: silent,
  });
  const temporalAddress = `${host}:${await server.start()}`;
  const task = new AsyncTask<undefined, number>({ name: 'away', task: async () => 1 });
  const component = new AsyncTaskComponent({ temporalAddress, logger: silent });
  component.register(task);
  await component.start();
  expect(await task.result(await task.submit())).toBe(1);
  await server.stop();
  const submitted = rejection(task.submit());
  // The first try has failed by then, and the second waits for its time.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await component.stop({ gracePeriod: 0 });
  expect(await submitted).toMatchObject({ code: 'SUBMIT_FAILED' });
});
