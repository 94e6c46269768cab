/** A component whose tasks live on a server: how it gets there, and what it says when it does not. */
import { createHash } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AsyncTask, AsyncTaskComponent, sleep, step } from '../../src/index.ts';
import { Certificates } from '../certificates.ts';
import { freePort } from '../free-port.ts';
import { startTlsProxy } from '../tls-proxy.ts';
import { gate, rejection, serverAddress, silent } from './running-component.ts';

const underTest = process.env['EVERSTEP_TEST_SERVER'] !== undefined;

async function started(
  options: ConstructorParameters<typeof AsyncTaskComponent>[0],
  tasks: readonly AsyncTask<never, unknown>[] = [],
): Promise<AsyncTaskComponent> {
  const component = new AsyncTaskComponent({ logger: silent, ...options });
  component.registerAll(tasks);
  await component.start();
  onTestFinished(() => component.stop({ gracePeriod: 0 }));
  return component;
}

describe('a component on a server', () => {
  it('says which server cannot be reached, and takes another try', async () => {
    const temporalAddress = `127.0.0.1:${await freePort()}`;
    const component = new AsyncTaskComponent({ temporalAddress, logger: silent });
    const error = await rejection(component.start());
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(error.message).toContain(`The Temporal server at ${temporalAddress} cannot be reached`);
    expect(() =>
      component.register(new AsyncTask({ name: 'late', task: async () => undefined })),
    ).not.toThrow();
    expect(component.isStarted()).toBe(false);
    await component.stop();
  }, 60_000);

  it('says which namespace the server does not know', async () => {
    const temporalAddress = await serverAddress();
    const component = new AsyncTaskComponent({ temporalAddress, namespace: 'no', logger: silent });
    const error = await rejection(component.start());
    expect(error).toMatchObject({ code: 'SERVER_REFUSED' });
    expect(error.message).toContain(`The namespace "no" is not known to the Temporal server at`);
  });

  // The server under test asks for no key.
  it.skipIf(underTest)(
    'says that the server refuses its key, and is let in with the right one',
    async () => {
      const apiKey = 'a-key';
      const sha256 = createHash('sha256').update(apiKey).digest('hex');
      const keys = [{ name: 'me', sha256, roles: { default: ['worker'] } }];
      const apiKeys = JSON.stringify({ keys });
      const temporalAddress = await serverAddress({ apiKeys });
      const options = { temporalAddress, tls: false, worker: false };
      const error = await rejection(
        new AsyncTaskComponent({ ...options, apiKey: 'another', logger: silent }).start(),
      );
      expect(error).toMatchObject({ code: 'SERVER_REFUSED' });
      expect(error.message).toContain('refuses this process');
      const component = await started({ ...options, apiKey });
      expect(component.isStarted()).toBe(true);
    },
  );

  // Our own gateway's TLS has tests of its own; Temporal's development server has none and gets it from before it.
  it.runIf(underTest)('encrypts what it says, and shows its certificate', async () => {
    const certificates = new Certificates();
    const { port, stop } = await startTlsProxy(certificates, await serverAddress());
    onTestFinished(async () => {
      await stop();
      certificates.remove();
    });
    const make = () =>
      new AsyncTask({
        name: 'encrypted',
        taskQueue: `encrypted-${port}`,
        task: async function* ({ n }: { n: number }) {
          const one = yield* step('one', () => n + 1);
          yield* sleep(10);
          return yield* step('two', () => one * 10);
        },
      });
    const temporalAddress = `127.0.0.1:${port}`;
    const task = make();
    await started({ temporalAddress, ...certificates.clientOf('worker-1') }, [task]);
    expect(await task.result(await task.submit({ n: 1 }))).toBe(20);
    for (const wrong of [certificates.clientOf('stranger'), { tls: true }, {}]) {
      const stranger = new AsyncTaskComponent({ temporalAddress, ...wrong, logger: silent });
      expect(await rejection(stranger.start())).toMatchObject({ code: 'SERVER_UNREACHABLE' });
      await stranger.stop();
    }
  });

  it('takes the address from TEMPORAL_ADDRESS, and registers search attributes once', async () => {
    const before = process.env['TEMPORAL_ADDRESS'];
    process.env['TEMPORAL_ADDRESS'] = await serverAddress();
    onTestFinished(() => {
      if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
      else process.env['TEMPORAL_ADDRESS'] = before;
    });
    const options = { searchAttributes: { Customer: 'Keyword' }, worker: false } as const;
    await started(options);
    const client = (await started(options)).getClient();
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(Object.keys(customAttributes)).toContain('Customer');
  });

  it('hands what a process submits to the workers of others, one step for each', async () => {
    const temporalAddress = await serverAddress();
    const ran: string[] = [];
    const make = (where: string) =>
      new AsyncTask({
        name: 'shared',
        taskQueue: `shared-${temporalAddress}`,
        task: async function* ({ n }: { n: number }) {
          const a = yield* step('a', () => {
            ran.push(`a${n} ${where}`);
            return n;
          });
          yield* sleep(10);
          return yield* step('b', () => {
            ran.push(`b${n} ${where}`);
            return a * 10;
          });
        },
      });
    const submitting = make('nowhere');
    await started({ temporalAddress, worker: false }, [submitting]);
    const workers = [make('one'), make('two')];
    for (const task of workers) await started({ temporalAddress }, [task]);
    const ids = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => submitting.submit({ n })));
    const results = await Promise.all(ids.map((id) => submitting.result(id)));
    expect(results).toEqual([10, 20, 30, 40, 50, 60]);
    const steps = new Set(ran.map((line) => line.split(' ')[0]));
    expect([steps.size, ran.length]).toEqual([12, 12]);
    expect(ran.join()).not.toContain('nowhere');
  });

  it('goes on in the next process where the one before stopped', async () => {
    const temporalAddress = await serverAddress();
    const ran: string[] = [];
    const reached = gate();
    const make = (block: boolean) =>
      new AsyncTask({
        name: 'moved',
        taskQueue: `moved-${temporalAddress}`,
        task: async function* () {
          const first = yield* step('first', () => ran.push('first'));
          yield* step('second', async () => {
            reached.open();
            if (block) await new Promise(() => undefined);
            ran.push('second');
          });
          return first;
        },
      });
    const before = make(true);
    const component = await started({ temporalAddress }, [before]);
    const id = await before.submit(undefined);
    await reached.opened;
    await component.stop({ gracePeriod: 0 });
    const after = make(false);
    await started({ temporalAddress }, [after]);
    expect(await after.result(id)).toBe(1);
    expect(ran).toEqual(['first', 'second']);
  }, 60_000);
});
