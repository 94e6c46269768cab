/** What dead processes leave in the queues comes to those that live. */
import { expect } from 'vitest';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { StoreTap } from '../../test/store-tap.ts';
import type { WorkflowTask } from '../service/local-worker.ts';
import { StoreError } from '../store/store.ts';

/** It claims a row, and its commit that would use the row up never comes to an end. */
async function holdRow(dying: Host, tap: StoreTap, world: World): Promise<void> {
  tap.before = () => new Promise(() => undefined);
  void dying.tryPoll().catch(() => undefined);
  await world.clock.settle();
}

function waitingPoll({ service }: Host): Promise<WorkflowTask> {
  return service.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name: 'orders' } });
}

export function describeLeftRows(scenario: Scenario): void {
  scenario(
    'Rows that a dead process had claimed are given to others (decision 11)',
    async (host, world) => {
      const tap = new StoreTap();
      const dying = await world.host({ wrap: tap.wrap });
      await host.start('a');
      await holdRow(dying, tap, world);
      await dying.vanish();
      await world.clock.advance(1_000);
      expect(await host.tryPoll()).toBeDefined();
    },
  );

  scenario(
    'Rows that the last other process leaves are given to a poll that waits already (decision 11)',
    async (host, world) => {
      const tap = new StoreTap();
      const dying = await world.host({ wrap: tap.wrap });
      await host.start('a');
      await holdRow(dying, tap, world);
      const poll = waitingPoll(host);
      await world.clock.advance(2_000);
      await dying.vanish();
      await world.clock.advance(2_000);
      expect((await poll).workflowExecution?.workflowId).toBe('a');
    },
  );

  scenario(
    'Rows that the last other process leaves are given out though the look that noticed its end failed (decision 11)',
    async (first, world) => {
      await first.leave();
      let failures = 0;
      const fail = (): never => {
        failures += 1;
        throw new StoreError('STORE_FAILED', 'The answer was lost.');
      };
      const host = await world.host({
        wrap: (store) => {
          const remove = store.processes.remove.bind(store.processes);
          const releaseAll = store.tasks.releaseAll.bind(store.tasks);
          store.processes.remove = async (request) => {
            await remove(request);
            if (failures === 0) fail();
          };
          store.tasks.releaseAll = async (request) => {
            if (failures === 1) fail();
            await releaseAll(request);
          };
          return store;
        },
      });
      const tap = new StoreTap();
      const dying = await world.host({ wrap: tap.wrap });
      await host.start('a');
      await holdRow(dying, tap, world);
      const poll = waitingPoll(host);
      await world.clock.advance(2_000);
      await dying.vanish();
      await world.clock.advance(5_000);
      expect(failures).toBe(2);
      expect((await poll).workflowExecution?.workflowId).toBe('a');
    },
  );

  scenario(
    'A row taken up on an old state is not lost with the process that took it (decision 11)',
    async (host, world) => {
      const tap = new StoreTap();
      const dying = await world.host({ wrap: tap.wrap });
      const runId = await host.start('a');
      await host.turn();
      await dying.names('a');
      await host.signal('a', 'go', '', runId);
      await holdRow(dying, tap, world);
      await dying.vanish();
      await world.clock.advance(1_000);
      expect(await host.tryPoll()).toBeDefined();
    },
  );
}
