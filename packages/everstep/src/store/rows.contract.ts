/** History, tasks, outbox, mail, processes, namespaces, hints, and what reopening keeps. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  bytesOf,
  committed,
  groupOf,
  keyOf,
  namespaceId,
  nextOf,
  start,
  taskOf,
  textOf,
  write,
} from './store-fixture.contract.ts';
import type { StoreFixture } from './store-fixture.contract.ts';
import type { HistoryBatch, ProcessRow, Store, TaskRow } from './store.ts';

function announce(store: Store, processId: string): Promise<void> {
  const process = { processId, pid: 1, hostId: 'host', startedAt: 1, heartbeatAt: 1, queues: [] };
  return store.processes.announce({ process });
}

export function describeRows(
  getStore: () => Store,
  open: () => Promise<Store>,
  getFixture: () => StoreFixture,
): void {
  let store: Store;
  beforeEach(() => {
    store = getStore();
  });

  describe('history', () => {
    /** Batches of three events and ten bytes. */
    async function withHistory(batches: number): Promise<number> {
      const key = keyOf('a');
      const batch = (i: number): HistoryBatch => ({
        firstEventId: 1 + 3 * i,
        nextEventId: 4 + 3 * i,
        bytes: bytesOf(`batch ${i}`.padEnd(10)),
      });
      const ref = await start(store, key, { history: batch(0) });
      for (let i = 1; i < batches; i += 1) {
        await write(store, nextOf(key, ref, i, { history: batch(i) }));
      }
      return ref;
    }

    it('reads batches in order, from the one that holds the event asked for', async () => {
      const ref = await withHistory(5);
      const all = await store.history.read({ ref, fromEventId: 1, bytesMax: 1_000 });
      expect(all.map((batch) => batch.firstEventId)).toEqual([1, 4, 7, 10, 13]);
      expect(all.map((batch) => textOf(batch.bytes).trim())).toContain('batch 4');
      for (const fromEventId of [4, 5, 6]) {
        const rest = await store.history.read({ ref, fromEventId, bytesMax: 1_000 });
        expect(rest.map((batch) => batch.firstEventId)).toEqual([4, 7, 10, 13]);
      }
      expect(await store.history.read({ ref, fromEventId: 16, bytesMax: 1_000 })).toEqual([]);
    });

    it('pages by bytes, with at least one batch a page', async () => {
      const ref = await withHistory(150);
      const page = await store.history.read({ ref, fromEventId: 4, bytesMax: 25 });
      expect(page.map((batch) => batch.firstEventId)).toEqual([4, 7]);
      const least = await store.history.read({ ref, fromEventId: 4, bytesMax: 1 });
      expect(least.map((batch) => batch.firstEventId)).toEqual([4]);
      expect(await store.history.read({ ref, fromEventId: 1, bytesMax: 1e9 })).toHaveLength(150);
    });

    it('keeps bytes that are a slice of a larger buffer apart from it', async () => {
      const pool = new Uint8Array(100).fill(1);
      const history = { firstEventId: 1, nextEventId: 2, bytes: pool.subarray(10, 20) };
      const ref = await start(store, keyOf('a'), { history, state: pool.subarray(50, 60) });
      pool.fill(2);
      const [batch] = await store.history.read({ ref, fromEventId: 1, bytesMax: 99 });
      expect(Uint8Array.from(batch?.bytes ?? [])).toEqual(new Uint8Array(10).fill(1));
      const state = (await store.runs.loadByRef({ ref }))?.state;
      expect(Uint8Array.from(state ?? [])).toEqual(new Uint8Array(10).fill(1));
    });
  });

  describe('tasks', () => {
    const queue = { namespaceId, kind: 'workflow', taskQueue: 'orders' } as const;
    const claimed = (rows: readonly TaskRow[]) => rows.map((row) => row.stamp);
    beforeEach(async () => {
      for (const processId of ['p', 'p1', 'p2', 'p3', 'dead']) await announce(store, processId);
    });

    it('are claimed by processes that are announced, since only their deaths are noticed', async () => {
      await start(store, keyOf('a'), { tasks: [taskOf()] });
      await store.processes.remove({ processId: 'p1' });
      expect(await store.tasks.claim({ ...queue, processId: 'p1', limit: 1 })).toEqual([]);
      await announce(store, 'p1');
      expect(await store.tasks.claim({ ...queue, processId: 'p1', limit: 1 })).toHaveLength(1);
    });

    it('are claimed oldest first, as they were written', async () => {
      const key = keyOf('a');
      const late = taskOf({ createdAt: 30, stamp: 30, normalTaskQueue: 'normal' });
      const ref = await start(store, key, { tasks: [late, taskOf({ createdAt: 10, stamp: 10 })] });
      const rows = await store.tasks.claim({ ...queue, processId: 'p1', limit: 9 });
      expect(claimed(rows)).toEqual([10, 30]);
      expect(rows[1]).toEqual({ ...late, taskId: rows[1]?.taskId, ref, key });
    });

    it('are claimed by one process or the other, never by both', async () => {
      const other = await open();
      for (let i = 0; i < 6; i += 1) {
        await start(store, keyOf(`w${i}`), { tasks: [taskOf({ stamp: i, createdAt: i })] });
      }
      const mine = await store.tasks.claim({ ...queue, processId: 'p1', limit: 4 });
      const theirs = await other.tasks.claim({ ...queue, processId: 'p2', limit: 4 });
      expect(claimed(mine)).toEqual([0, 1, 2, 3]);
      expect(claimed(theirs)).toEqual([4, 5]);
      expect(await store.tasks.claim({ ...queue, processId: 'p1', limit: 4 })).toEqual([]);
    });

    it('hide nothing behind them when they are claimed by a process that is alone', async () => {
      for (const processId of ['p', 'p2', 'p3', 'dead'])
        await store.processes.remove({ processId });
      await start(store, keyOf('a'), {
        tasks: [1, 2].map((stamp) => taskOf({ stamp, createdAt: stamp })),
      });
      const request = { ...queue, processId: 'p1', limit: 1, evenAlone: true };
      expect(claimed(await store.tasks.claim(request))).toEqual([1]);
      expect(claimed(await store.tasks.claim(request))).toEqual([2]);
      await store.tasks.releaseAll({ processId: 'p1' });
      expect(claimed(await store.tasks.claim({ ...queue, processId: 'p1', limit: 9 }))).toEqual([
        1, 2,
      ]);
    });

    it('stay apart by namespace, kind and queue', async () => {
      const ref = await start(store, keyOf('a'), {
        tasks: [taskOf({ stamp: 1 }), taskOf({ stamp: 2, kind: 'activity' })],
      });
      await start(
        store,
        { ...keyOf('a'), namespaceId: 'namespace-2' },
        { tasks: [taskOf({ stamp: 3 }), taskOf({ stamp: 4, taskQueue: 'Orders' })] },
      );
      const rows = await store.tasks.claim({ ...queue, processId: 'p', limit: 9 });
      expect(rows.map((row) => [row.stamp, row.ref])).toEqual([[1, ref]]);
      expect(await store.tasks.queues()).toHaveLength(4);
    });

    it('go back to their place when released, by id or with their process', async () => {
      const tasks = [1, 2, 3].map((stamp) => taskOf({ stamp, createdAt: stamp }));
      await start(store, keyOf('a'), { tasks });
      const rows = await store.tasks.claim({ ...queue, processId: 'p1', limit: 2 });
      await store.tasks.release({ taskIds: rows.slice(0, 1).map((row) => row.taskId) });
      const again = await store.tasks.claim({ ...queue, processId: 'p2', limit: 1 });
      expect(claimed(again)).toEqual([1]);
      await store.tasks.releaseAll({ processId: 'p1' });
      const rest = await store.tasks.claim({ ...queue, processId: 'p3', limit: 9 });
      expect(claimed(rest)).toEqual([2, 3]);
    });

    it('go away with the commit that used them up, or when deleted; twice is no error', async () => {
      const ref = await start(store, keyOf('a'), { tasks: [taskOf(), taskOf()] });
      const [first, second] = await store.tasks.claim({ ...queue, processId: 'p', limit: 2 });
      const used = {
        ...groupOf(nextOf(keyOf('a'), ref, 1)),
        doneTasks: [first?.taskId ?? 0, 12_345],
      };
      await store.commit([used]);
      await store.tasks.delete({ taskIds: [second?.taskId ?? 0, first?.taskId ?? 0] });
      await store.tasks.releaseAll({ processId: 'p' });
      expect(await store.tasks.claim({ ...queue, processId: 'p', limit: 2 })).toEqual([]);
      expect(await store.tasks.queues()).toEqual([]);
    });

    it('stay when the commit that would use them up conflicts', async () => {
      const ref = await start(store, keyOf('a'), { tasks: [taskOf()] });
      const [row] = await store.tasks.claim({ ...queue, processId: 'p', limit: 1 });
      await store.commit([
        { ...groupOf(nextOf(keyOf('a'), ref, 5)), doneTasks: [row?.taskId ?? 0] },
      ]);
      expect((await store.tasks.backlog(queue)).count).toBe(1);
    });

    it('move from a sticky queue to the normal one, where anybody may claim them', async () => {
      const sticky = taskOf({ taskQueue: 'sticky-1', normalTaskQueue: 'orders', stamp: 7 });
      await start(store, keyOf('a'), { tasks: [sticky] });
      await start(store, keyOf('b'), { tasks: [taskOf({ createdAt: 2_000, stamp: 8 })] });
      await store.tasks.claim({ ...queue, taskQueue: 'sticky-1', processId: 'dead', limit: 1 });
      expect(await store.tasks.unstick({ namespaceId, taskQueue: 'sticky-1' })).toBe(1);
      expect(await store.tasks.unstick({ namespaceId, taskQueue: 'sticky-1' })).toBe(0);
      const rows = await store.tasks.claim({ ...queue, processId: 'p', limit: 9 });
      expect(claimed(rows)).toEqual([7, 8]);
      expect(rows[0]?.normalTaskQueue).toBe('');
    });

    it('are counted by queue, with the age of the oldest', async () => {
      await start(store, keyOf('a'), {
        tasks: [taskOf({ createdAt: 9 }), taskOf({ createdAt: 4 })],
      });
      expect(await store.tasks.backlog(queue)).toEqual({ count: 2, oldestCreatedAt: 4 });
      const none = await store.tasks.backlog({ ...queue, taskQueue: 'none' });
      expect(none).toEqual({ count: 0, oldestCreatedAt: 0 });
      expect(await store.tasks.queues()).toEqual([{ ...queue, count: 2 }]);
    });
  });

  describe('outbox', () => {
    it('keeps messages until they are delivered, and lists the overdue oldest first', async () => {
      const messages = [bytesOf('one'), bytesOf('two')];
      const [made] = await store.commit([
        groupOf(nextOfNew('a', messages), nextOfNew('b', [bytesOf('three')])),
      ]);
      const { refs, outboxIds } = committed(made);
      expect(outboxIds.map((ids) => ids.length)).toEqual([2, 1]);
      const rows = await store.outbox.overdue({ createdBefore: 5_001, limit: 9 });
      expect(rows.map((row) => textOf(row.bytes))).toEqual(['one', 'two', 'three']);
      expect(rows.map((row) => row.outboxId)).toEqual(outboxIds.flat());
      expect(rows[2]).toMatchObject({ ref: refs[1], key: keyOf('b'), createdAt: 5_000 });
      expect(await store.outbox.overdue({ createdBefore: 5_000, limit: 9 })).toEqual([]);
      expect(await store.outbox.overdue({ createdBefore: 5_001, limit: 1 })).toHaveLength(1);
      await store.outbox.delete({ outboxIds: [rows[0]?.outboxId ?? 0, 999_999] });
      const doneOutbox = [rows[1]?.outboxId ?? 0, 999_999];
      await store.commit([{ writes: [], doneTasks: [], doneOutbox, now: 1 }]);
      const left = await store.outbox.overdue({ createdBefore: 1e15, limit: 9 });
      expect(left.map((row) => textOf(row.bytes))).toEqual(['three']);
    });

    it('tells what waits of one run', async () => {
      const messages = [bytesOf('one'), bytesOf('two')];
      const [made] = await store.commit([groupOf(nextOfNew('a', messages), nextOfNew('b', []))]);
      const { refs, outboxIds } = committed(made);
      const rows = await store.outbox.ofRun({ ref: refs[0] ?? 0 });
      expect(rows.map((row) => [row.outboxId, textOf(row.bytes)])).toEqual([
        [outboxIds[0]?.[0], 'one'],
        [outboxIds[0]?.[1], 'two'],
      ]);
      expect(rows[0]).toMatchObject({ ref: refs[0], key: keyOf('a'), createdAt: 5_000 });
      expect(await store.outbox.ofRun({ ref: refs[1] ?? 0 })).toEqual([]);
    });

    function nextOfNew(id: string, outbox: Uint8Array[]) {
      const key = keyOf(id);
      const { ref: _, ...rest } = nextOf(key, 0, 0, { outbox });
      return { ...rest, replaces: null };
    }
  });

  describe('mail', () => {
    it('is taken once, in order, by the process it is for', async () => {
      const mail = ['one', 'two'].map((text) => ({ processId: 'p1', bytes: bytesOf(text) }));
      await start(store, keyOf('a'), { mail: [...mail, { processId: 'p2', bytes: bytesOf('x') }] });
      expect((await store.mail.take({ processId: 'p1' })).map(textOf)).toEqual(['one', 'two']);
      expect(await store.mail.take({ processId: 'p1' })).toEqual([]);
      expect(await store.mail.take({ processId: 'p2' })).toHaveLength(1);
    });

    it('is lost with the process it is for', async () => {
      await start(store, keyOf('a'), { mail: [{ processId: 'p1', bytes: bytesOf('x') }] });
      await store.processes.remove({ processId: 'p1' });
      expect(await store.mail.take({ processId: 'p1' })).toEqual([]);
    });
  });

  describe('processes', () => {
    const process: ProcessRow = {
      processId: 'p1',
      pid: 4_711,
      hostId: 'host',
      startedAt: 10,
      heartbeatAt: 10,
      queues: ['namespace-1/workflow/orders'],
    };

    it('are announced, heard of and removed', async () => {
      await store.processes.announce({ process });
      await store.processes.announce({ process: { ...process, processId: 'p0', startedAt: 5 } });
      await store.processes.announce({ process: { ...process, queues: [] } });
      expect(await store.processes.heartbeat({ processId: 'p1', now: 20 })).toBe(true);
      const list = await store.processes.list();
      expect(list.map((row) => row.processId)).toEqual(['p0', 'p1']);
      expect(list[1]).toEqual({ ...process, queues: [], heartbeatAt: 20 });
      await store.processes.remove({ processId: 'p1' });
      expect(await store.processes.heartbeat({ processId: 'p1', now: 30 })).toBe(false);
      expect(await store.processes.list()).toHaveLength(1);
    });
  });

  describe('namespaces', () => {
    const namespace = { namespaceId: 'id-1', name: 'default', config: bytesOf('one'), version: 0 };

    it('are made once, and changed from the version they have', async () => {
      const put = (version: number, text: string, name = 'default') =>
        store.namespaces.put({
          namespace: { ...namespace, name, config: bytesOf(text) },
          expectedVersion: version,
        });
      expect(await put(0, 'one')).toBe(true);
      expect(await put(0, 'again')).toBe(false);
      expect(await put(1, 'two')).toBe(true);
      expect(await put(1, 'late')).toBe(false);
      const [row] = await store.namespaces.list();
      expect(row).toMatchObject({ namespaceId: 'id-1', name: 'default', version: 2 });
      expect(textOf(row?.config)).toBe('two');
    });

    it('have names of their own', async () => {
      const other = { ...namespace, namespaceId: 'id-2' };
      await store.namespaces.put({ namespace, expectedVersion: 0 });
      expect(await store.namespaces.put({ namespace: other, expectedVersion: 0 })).toBe(false);
      const renamed = { ...other, name: 'other' };
      expect(await store.namespaces.put({ namespace: renamed, expectedVersion: 0 })).toBe(true);
      expect(await store.namespaces.put({ namespace: other, expectedVersion: 1 })).toBe(false);
      await store.namespaces.delete({ namespaceId: 'id-1' });
      expect((await store.namespaces.list()).map((row) => row.name)).toEqual(['other']);
    });
  });

  describe('hints', () => {
    it('reach the other handles, until they stop listening', async () => {
      const other = await open();
      let heard = 0;
      let resolveNext: (() => void) | undefined;
      const stop = other.hints.listen(() => {
        heard += 1;
        resolveNext?.();
      });
      const next = new Promise<void>((resolve) => {
        resolveNext = resolve;
      });
      await start(store, keyOf('a'));
      store.hints.ring();
      await next;
      expect(heard).toBe(1);
      stop();
      await start(store, keyOf('b'));
      store.hints.ring();
      await start(store, keyOf('c'));
      expect(heard).toBe(1);
    });
  });

  describe('open and close', () => {
    it('says that it is closed', async () => {
      const handle = getFixture().handle();
      const load = async () => handle.runs.load({ key: keyOf('a') });
      await expect(load()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await handle.open();
      await handle.close();
      await expect(load()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await expect(handle.commit([])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
      await handle.close();
    });

    it('keeps everything for the next process, where it is durable', async () => {
      const ref = await start(store, keyOf('a'), {
        columns: { wakeAt: 5, deleteAt: 6, holder: 'p' },
        history: { firstEventId: 1, nextEventId: 3, bytes: bytesOf('events') },
        tasks: [taskOf()],
        outbox: [bytesOf('message')],
        mail: [{ processId: 'p', bytes: bytesOf('letter') }],
      });
      await store.close();
      const next = await open();
      expect((await next.runs.load({ key: keyOf('a') }))?.ref).toBe(
        getFixture().durable ? ref : undefined,
      );
      if (!getFixture().durable) return;
      expect(await next.history.read({ ref, fromEventId: 1, bytesMax: 9 })).toHaveLength(1);
      expect(await next.runs.due({ now: 9, limit: 9 })).toHaveLength(1);
      expect(await next.runs.heldBy({ processId: 'p' })).toEqual([ref]);
      expect(await next.tasks.queues()).toHaveLength(1);
      const [message, ...more] = await next.outbox.overdue({ createdBefore: 1e15, limit: 9 });
      expect(more).toEqual([]);
      await next.outbox.delete({ outboxIds: [message?.outboxId ?? 0] });
      expect(await next.runs.expired({ now: 9, limit: 9 })).toEqual([ref]);
      expect(await next.mail.take({ processId: 'p' })).toHaveLength(1);
      expect((await next.visibility.count({ namespaceId, groupByStatus: false })).count).toBe(1);
      expect(await start(next, keyOf('b'))).toBeGreaterThan(ref);
    });
  });
}
