import { expect } from 'vitest';
import { child, completeRun, step, timer } from '../../test/command-kit.ts';
import { refused } from '../../test/engine-host.ts';
import type { Scenario, World } from '../../test/engine-world.ts';
import { FakeWorker } from '../../test/fake-worker.ts';
import { storeWith } from '../../test/store-tap.ts';
import { StoreError } from '../store/store.ts';
import type { Store, StoredRun } from '../store/store.ts';

export function describeDamagedRuns(scenario: Scenario): void {
  scenario(
    'What a dead process had started of a damaged run holds up none of its other runs (section 15)',
    async (first, world) => {
      const worker = new FakeWorker();
      worker.host = first.service.attachWorker(worker);
      await first.start('bad');
      await first.start('good');
      expect(worker.started).toHaveLength(2);
      await first.vanish();
      const host = await world.host({ wrap: damaged(world, 'bad') });
      expect((await host.pollStep()).workflowExecution?.workflowId).toBe('good');
      await world.clock.advance(5_000);
      expect(await host.store.processes.list()).toHaveLength(1);
      expect(world.errors.map(({ message }) => message)).toEqual([toldOnce]);
    },
  );

  scenario(
    'A task of a damaged run hides no other task of its queue (section 15)',
    async (first, world) => {
      for (const id of ['bad', 'good']) {
        await first.start(id);
        await world.clock.advance(10);
      }
      await first.leave();
      const host = await world.host({ wrap: damaged(world, 'bad') });
      expect((await host.poll()).workflowExecution?.workflowId).toBe('good');
      expect(world.errors.map(({ message }) => message)).toEqual([toldOnce]);
    },
  );

  scenario(
    'The deadline of a damaged run makes no other timer late (section 15)',
    async (first, world) => {
      for (const id of ['bad', 'good']) {
        await first.start(id);
        await first.turn([timer('t', id === 'bad' ? 10_000 : 10_300)]);
      }
      await first.leave();
      const host = await world.host({ wrap: damaged(world, 'bad') });
      await world.clock.advance(10_000);
      expect(await host.names('good')).not.toContain('TimerFired');
      await world.clock.advance(300);
      expect(await host.names('good')).toContain('TimerFired');
      await world.clock.advance(60_000);
      expect(world.errors.map(({ message }) => message)).toEqual([toldOnce]);
    },
  );

  scenario(
    'A message of a damaged run, or to one, keeps no other message back (section 15)',
    async (first, world) => {
      for (const id of ['bad', 'good']) {
        await first.start(id);
        await first.turn([child(`kid-of-${id}`)]);
        await world.clock.advance(100);
        await first.turn();
      }
      await first.leave();
      const host = await world.host({ wrap: damaged(world, 'bad') });
      for (let i = 0; i < 2; i += 1) await host.turn([completeRun()], 'parcels');
      await world.clock.advance(30_000);
      expect(await host.names('good')).toContain('ChildWorkflowExecutionCompleted');
      expect(world.errors.map(({ message }) => message)).toEqual([toldOnce]);
    },
  );

  scenario(
    'A damaged history fails the task of its run, which is told once (section 15)',
    async (first, world) => {
      await first.start('bad');
      await first.turn([step('s')]);
      await first.leave();
      world.expectsErrors = true;
      const host = await world.host({
        wrap: (store) =>
          storeWith(store, 'history', {
            ...store.history,
            read: ({ ref }) => Promise.reject(damage(ref)),
          }),
      });
      const worker = new FakeWorker();
      worker.host = host.service.attachWorker(worker);
      await host.signal('bad');
      await world.clock.advance(120_000);
      expect(world.errors.map(({ message }) => message)).toEqual([toldOnce]);
      expect(await host.listed("ExecutionStatus = 'Running'")).toEqual(['bad']);
      await host.terminate('bad');
      expect(await host.listed("ExecutionStatus = 'Terminated'")).toEqual(['bad']);
    },
  );

  scenario('A damaged run can be deleted, and its id used again (DL-1)', async (first, world) => {
    await first.start('bad');
    await first.leave();
    const spoilt = new Set(['bad']);
    const host = await world.host({ wrap: damaged(world, ...spoilt) });
    expect((await refused(host.describe('bad'))).code).toBe('FAILED_PRECONDITION');
    expect((await refused(host.signal('bad'))).code).toBe('FAILED_PRECONDITION');
    expect(await host.listed()).toEqual(['bad']);
    await host.delete('bad');
    expect((await refused(host.describe('bad'))).code).toBe('NOT_FOUND');
    expect(await host.listed()).toEqual([]);
    expect((await host.startReply('bad')).started).toBe(true);
  });
}

const toldOnce = 'A stored run is damaged and is left alone; the others go on';

function damage(ref: number): StoreError {
  return new StoreError('STORE_CORRUPT', 'The row is damaged.', { damagedRun: ref });
}

/** The stored states of the runs that these workflow ids have now cannot be read. */
function damaged(world: World, ...workflowIds: readonly string[]): (store: Store) => Store {
  world.expectsErrors = true;
  const refs = new Set<number>();
  let known = false;
  return (store) => {
    const check = async (reading: Promise<StoredRun | undefined>) => {
      const run = await reading;
      if (!run || !workflowIds.includes(run.key.workflowId)) return run;
      if (!known) refs.add(run.ref);
      known = refs.size === workflowIds.length;
      if (refs.has(run.ref)) throw damage(run.ref);
      return run;
    };
    return storeWith(store, 'runs', {
      load: (request) => check(store.runs.load(request)),
      loadByRef: (request) => check(store.runs.loadByRef(request)),
      loadCurrent: (request) => check(store.runs.loadCurrent(request)),
    });
  };
}
