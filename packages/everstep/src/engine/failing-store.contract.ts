import { expect } from 'vitest';
import { child, completeRun, step, timer } from '../../test/command-kit.ts';
import { refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { StoreError } from '../store/store.ts';

const trouble = () => new StoreError('STORE_FAILED', 'trouble');

export function describeFailingStore(scenario: Scenario): void {
  scenario(
    'A write that failed is refused as unavailable, and nothing of it is there (EV-2)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      await host.start('a');
      tap.failures = [trouble()];
      expect(await refused(host.signal('a'))).toMatchObject({
        code: 'UNAVAILABLE',
        message: 'trouble',
        retryable: true,
      });
      expect(await host.names('a')).toHaveLength(2);
      await host.signal('a');
      expect(await host.names('a')).toHaveLength(3);
    },
  );

  scenario('A start that failed may be made again (ID-1)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    tap.failures = [trouble()];
    expect((await refused(host.start('a', { requestId: 'r' }))).code).toBe('UNAVAILABLE');
    expect((await refused(host.describe('a'))).code).toBe('NOT_FOUND');
    const reply = await host.startReply('a', { requestId: 'r' });
    expect(reply.started).toBe(true);
    expect(await host.poll()).toBeDefined();
  });

  scenario('A full disk is said to be one (section 15)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    tap.failures = [new StoreError('STORE_DISK_FULL', 'the disk is full')];
    expect(await refused(host.start('a'))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'the disk is full',
      detail: { kind: 'resourceExhausted', cause: 'persistenceLimit' },
    });
  });

  scenario('A task whose start failed is given out later (WT-8)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    tap.failures = [trouble()];
    const poll = host.service.pollWorkflowTaskQueue({
      namespace: 'default',
      taskQueue: { name: 'orders' },
    });
    await world.clock.advance(2_000);
    const task = await poll;
    expect(task.attempt).toBe(1);
    await host.complete(task, [step('s')]);
    tap.failures = [trouble()];
    expect(await host.tryPollStep()).toBeUndefined();
    await world.clock.advance(2_000);
    expect((await host.pollStep()).attempt).toBe(1);
  });

  scenario('A timer whose commit failed fires later, once (TM-2)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    await host.turn([timer('t', 5_000)]);
    tap.failures = [trouble(), trouble()];
    await world.clock.advance(10_000);
    const names = await host.names('a');
    expect(names.filter((name) => name === 'TimerFired')).toHaveLength(1);
    expect(tap.failures).toEqual([]);
  });

  scenario('A store that stays broken is not hammered (TM-2)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    await host.turn([timer('t', 1_000)]);
    let tries = 0;
    tap.before = () => {
      tries += 1;
      throw trouble();
    };
    await world.clock.advance(10_000);
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThan(30);
    tap.before = undefined;
    await world.clock.advance(5_000);
    expect((await host.names('a')).at(-2)).toBe('TimerFired');
  });

  scenario(
    'A message whose commit failed is delivered later, once (CH-1)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      await host.start('parent');
      const task = await host.poll();
      let commits = 0;
      tap.before = () => {
        commits += 1;
        if (commits === 2 || commits === 4) throw trouble();
      };
      await host.complete(task, [child('kid')]);
      await world.clock.advance(20_000);
      expect(commits).toBeGreaterThan(4);
      const names = await host.names('parent');
      expect(names.filter((name) => name === 'ChildWorkflowExecutionStarted')).toHaveLength(1);
      expect(await host.names('kid')).toHaveLength(2);
    },
  );

  scenario('A completion that failed may be given again (WT-13)', async (first, world) => {
    const { host, tap } = await tapped(first, world);
    await host.start('a');
    const task = await host.poll();
    tap.failures = [trouble()];
    expect((await refused(host.complete(task, [completeRun()]))).code).toBe('UNAVAILABLE');
    await host.complete(task, [completeRun()]);
    expect(await host.status('a')).toBe('COMPLETED');
  });

  scenario(
    'Requests that waited behind a failed write are told so too (EV-2)',
    async (first, world) => {
      const { host, tap } = await tapped(first, world);
      const runId = await host.start('a');
      tap.failures = [trouble()];
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, (_, index) => host.signal('a', 'go', `r${index}`, runId)),
      );
      const done = results.filter(({ status }) => status === 'fulfilled').length;
      const names = await host.names('a');
      expect(names.filter((name) => name === 'WorkflowExecutionSignaled')).toHaveLength(done);
      for (let index = 0; index < 5; index += 1) await host.signal('a', 'go', `r${index}`);
      expect(
        (await host.names('a')).filter((name) => name === 'WorkflowExecutionSignaled'),
      ).toHaveLength(5);
    },
  );
}

/** The only process, on a store that can be made to fail; its engine complains of that, and should. */
async function tapped(
  first: Host,
  world: World,
): Promise<{ readonly host: Host; readonly tap: StoreTap }> {
  await first.leave();
  const tap = new StoreTap();
  const host = await world.host({ wrap: tap.wrap });
  world.expectsErrors = true;
  return { host, tap };
}
