import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PostgresSchema, postgresMissing } from '../../../test/databases/shared-postgres.ts';
import { bytesOf, keyOf, start, taskOf } from '../store-fixture.contract.ts';
import type { GlanceRequest, ProcessRow, Store } from '../store.ts';

const queue = { namespaceId: 'namespace-1', kind: 'workflow', taskQueue: 'orders' } as const;
const process: ProcessRow = {
  processId: 'p1',
  pid: 4_711,
  hostId: 'host',
  startedAt: 10,
  heartbeatAt: 10.5,
  queues: ['namespace-1/workflow/orders'],
};
const nothing = { hasTasks: false, hasMail: false, hasOverdue: false, nextWakeAt: 0 };

describe.skipIf(postgresMissing)(`a glance at PostgreSQL ${postgresMissing ?? ''}`, () => {
  const schema = new PostgresSchema('glance');
  let store: Store;

  beforeEach(async () => {
    store = schema.store('shared');
    await store.open();
    await schema.empty();
    await store.processes.announce({ process });
    onTestFinished(() => store.close());
  });

  function glance(request: Partial<GlanceRequest> = {}) {
    const asked = { processId: 'p1', heartbeatAt: undefined, queues: [queue], createdBefore: 100 };
    return store.glance?.({ ...asked, ...request });
  }

  it('sees who is there, and writes a heartbeat that is due', async () => {
    const other = { ...process, processId: 'p0', startedAt: 5 };
    await store.processes.announce({ process: other });
    expect(await glance()).toMatchObject({
      ...nothing,
      isAnnounced: true,
      processes: [other, process],
    });
    expect(await glance({ heartbeatAt: 20.25 })).toMatchObject({ isAnnounced: true });
    expect(await store.processes.list()).toEqual([other, { ...process, heartbeatAt: 20.25 }]);
    await store.processes.remove({ processId: 'p1' });
    expect(await glance()).toMatchObject({ isAnnounced: false, processes: [other] });
    expect(await glance({ heartbeatAt: 30 })).toMatchObject({ isAnnounced: false });
    expect(await store.processes.list()).toEqual([other]);
  });

  it('sees rows that nobody has claimed, in the queues that it is asked for', async () => {
    await start(store, keyOf('a'), { tasks: [taskOf()] });
    expect(await glance()).toMatchObject({ hasTasks: true });
    for (const other of [
      { ...queue, namespaceId: 'namespace-2' },
      { ...queue, kind: 'activity' as const },
      { ...queue, taskQueue: 'others' },
    ]) {
      expect(await glance({ queues: [other] })).toMatchObject(nothing);
    }
    expect(await glance({ queues: [] })).toMatchObject(nothing);
    await store.tasks.claim({ ...queue, processId: 'p1', limit: 10 });
    expect(await glance()).toMatchObject(nothing);
  });

  it('sees mail, messages that are overdue, and the next deadline', async () => {
    const mail = [{ processId: 'p1', bytes: bytesOf('x') }];
    await start(store, keyOf('a'), { mail, outbox: [bytesOf('message')] });
    expect(await glance()).toMatchObject({ ...nothing, hasMail: true });
    expect(await glance({ processId: 'p2' })).toMatchObject(nothing);
    // They are as old as the fixture's commits.
    expect(await glance({ processId: 'p2', createdBefore: 5_000 })).toMatchObject(nothing);
    expect(await glance({ processId: 'p2', createdBefore: 5_001 })).toMatchObject({
      hasOverdue: true,
    });
    await start(store, keyOf('b'), { columns: { wakeAt: 8_000.5 } });
    await start(store, keyOf('c'), { columns: { wakeAt: 7_000.5 } });
    expect(await glance()).toMatchObject({ nextWakeAt: 7_000.5 });
  });

  it('marks another set of namespaces in another way', async () => {
    const marks = new Set<string | undefined>();
    const note = async () => marks.add((await glance())?.namespacesMark);
    const namespace = { namespaceId: 'id-1', name: 'default', config: bytesOf('one'), version: 0 };
    await note();
    await store.namespaces.put({ namespace, expectedVersion: 0 });
    await note();
    await note();
    await store.namespaces.put({ namespace: { ...namespace, version: 1 }, expectedVersion: 1 });
    await note();
    await store.namespaces.put({
      namespace: { ...namespace, namespaceId: 'id-2', name: 'other' },
      expectedVersion: 0,
    });
    await note();
    await store.namespaces.delete({ namespaceId: 'id-1' });
    await note();
    expect(marks.size).toBe(5);
  });
});
