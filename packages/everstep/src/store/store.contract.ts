/**
 * What every store promises, as tests. A store passes by calling `describeStore` with a way to make handles on one
 * and the same data.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeRows } from './rows.contract.ts';
import { describeVisibility } from './visibility.contract.ts';
import {
  bytesOf,
  columnsOf,
  groupOf,
  keyOf,
  namespaceId,
  newRun,
  nextOf,
  start,
  taskOf,
  textOf,
  write,
} from './store-fixture.contract.ts';
import type { StoreFixture, WriteOptions } from './store-fixture.contract.ts';
import type { CommitResult, RunColumns, Store } from './store.ts';

function outcomes(results: readonly CommitResult[]): string[] {
  return results.map((result) => result.outcome);
}

export function describeStore(
  name: string,
  makeFixture: () => Promise<StoreFixture> | StoreFixture,
): void {
  describe(`${name}: every store`, () => {
    let fixture: StoreFixture;
    let store: Store;
    const opened: Store[] = [];

    async function open(): Promise<Store> {
      const handle = fixture.handle();
      await handle.open();
      opened.push(handle);
      return handle;
    }

    beforeEach(async () => {
      fixture = await makeFixture();
      store = await open();
    });
    afterEach(async () => {
      for (const handle of opened.splice(0)) await handle.close();
      await fixture.clean();
    });

    describe('commit', () => {
      it('keeps a run with all its columns', async () => {
        const key = keyOf('all');
        const columns: Partial<RunColumns> = {
          status: 'completed',
          closeTime: 9_000.25,
          wakeAt: 7,
          deleteAt: 99_000,
          holder: 'process-1',
          parentWorkflowId: 'parent',
          parentRunId: 'parent-run',
          rootWorkflowId: 'root',
          rootRunId: 'root-run',
          firstRunId: 'first-run',
          memo: bytesOf('memo'),
          searchAttributes: bytesOf('attributes'),
          searchValues: { Customer: 'Ada', Paid: true, Total: 1.5, Tags: ['a', 'b'] },
        };
        const ref = await start(store, key, { columns });
        const run = await store.runs.load({ key });
        expect(run).toEqual({
          ref,
          key,
          version: 1,
          operationToken: `create ${key.runId}`,
          isCurrent: true,
          columns: columnsOf(key, columns),
          state: bytesOf(`state of ${key.runId}`),
        });
      });

      it('writes the next version of a run when the expected one is stored', async () => {
        const key = keyOf('a');
        const ref = await start(store, key);
        await write(store, nextOf(key, ref, 1));
        await write(
          store,
          nextOf(key, ref, 2, { columns: { wakeAt: 50, holder: 'p', historyEvents: 9 } }),
        );
        const columns = { status: 'failed' as const, closeTime: 4, wakeAt: 60, taskQueue: 'other' };
        await write(store, nextOf(key, ref, 3, { columns, operationToken: 'last' }));
        const run = await store.runs.loadByRef({ ref });
        expect(run?.version).toBe(4);
        expect(run?.operationToken).toBe('last');
        expect(textOf(run?.state)).toBe('state 4 of a-run');
        expect(run?.columns).toEqual(columnsOf(key, columns));
      });

      it('refuses a write computed from another version, and changes nothing', async () => {
        const key = keyOf('a');
        const ref = await start(store, key);
        await write(store, nextOf(key, ref, 1));
        const late = nextOf(key, ref, 1, {
          columns: { status: 'failed', wakeAt: 9 },
          history: { firstEventId: 3, nextEventId: 4, bytes: bytesOf('late') },
          tasks: [taskOf()],
        });
        expect(outcomes(await store.commit([groupOf(late)]))).toEqual(['conflict']);
        expect((await store.runs.loadByRef({ ref }))?.version).toBe(2);
        expect((await store.runs.loadByRef({ ref }))?.columns.status).toBe('running');
        expect(await store.history.read({ ref, fromEventId: 1, bytesMax: 100 })).toEqual([]);
        expect(await store.tasks.queues()).toEqual([]);
      });

      it('refuses to update a run that is gone', async () => {
        const key = keyOf('a');
        const ref = await start(store, key);
        await store.runs.delete({ refs: [ref] });
        expect(outcomes(await store.commit([groupOf(nextOf(key, ref, 1))]))).toEqual(['conflict']);
      });

      it('refuses a new run where another is current', async () => {
        await start(store, keyOf('a', '1'));
        expect(outcomes(await store.commit([groupOf(newRun(keyOf('a', '2')))]))).toEqual([
          'conflict',
        ]);
        expect((await store.runs.loadCurrent({ namespaceId, workflowId: 'a' }))?.key.runId).toBe(
          '1',
        );
        expect(await store.runs.load({ key: keyOf('a', '2') })).toBeUndefined();
      });

      it('makes a new run current in place of the one it names, and of no other', async () => {
        const first = await start(store, keyOf('a', '1'));
        const second = await start(store, keyOf('a', '2'), { replaces: first });
        expect((await store.runs.loadByRef({ ref: first }))?.isCurrent).toBe(false);
        expect((await store.runs.loadCurrent({ namespaceId, workflowId: 'a' }))?.ref).toBe(second);
        expect(await store.runs.currentHead({ namespaceId, workflowId: 'a' })).toEqual({
          ref: second,
          version: 1,
        });
        const stale = newRun(keyOf('a', '3'), { replaces: first });
        expect(outcomes(await store.commit([groupOf(stale)]))).toEqual(['conflict']);
        expect((await store.runs.loadCurrent({ namespaceId, workflowId: 'a' }))?.ref).toBe(second);
      });

      it('refuses a run id that is taken, and leaves the current run current', async () => {
        const first = await start(store, keyOf('a', '1'));
        const again = newRun(keyOf('a', '1'), { replaces: first });
        expect(outcomes(await store.commit([groupOf(again)]))).toEqual(['conflict']);
        const run = await store.runs.loadCurrent({ namespaceId, workflowId: 'a' });
        expect(run).toMatchObject({ ref: first, version: 1, isCurrent: true });
      });

      it('keeps a new run that does not replace beside the current one', async () => {
        const first = await start(store, keyOf('a', '1'));
        const { replaces: _, ...beside } = newRun(keyOf('a', '2'));
        const [second] = await write(store, beside);
        expect((await store.runs.loadCurrent({ namespaceId, workflowId: 'a' }))?.ref).toBe(first);
        expect((await store.runs.load({ key: keyOf('a', '2') }))?.ref).toBe(second);
      });

      it('tells ids apart byte for byte', async () => {
        const ids = ['a', 'A', 'a ', 'á', 'a\u0301', '', "a'b", 'a%', '😀'];
        for (const id of ids) await start(store, keyOf(id, 'run'));
        for (const id of ids) {
          expect((await store.runs.loadCurrent({ namespaceId, workflowId: id }))?.key).toEqual(
            keyOf(id, 'run'),
          );
        }
        const other = { namespaceId: 'Namespace-1', workflowId: 'a' };
        expect(await store.runs.loadCurrent(other)).toBeUndefined();
      });

      it('writes a group whole: a close and the run that continues it', async () => {
        const old = keyOf('a', '1');
        const ref = await start(store, old);
        const refs = await write(
          store,
          nextOf(old, ref, 1, { columns: { status: 'continuedAsNew', closeTime: 2_000 } }),
          newRun(keyOf('a', '2'), { replaces: ref }),
        );
        expect(refs[0]).toBe(ref);
        const current = await store.runs.loadCurrent({ namespaceId, workflowId: 'a' });
        expect(current).toMatchObject({ ref: refs[1], version: 1, isCurrent: true });
        expect((await store.runs.loadByRef({ ref }))?.columns.status).toBe('continuedAsNew');
      });

      it('writes nothing of a group when its last write conflicts', async () => {
        const a = await start(store, keyOf('a'));
        const b = await start(store, keyOf('b'));
        const results = await store.commit([
          {
            ...groupOf(
              nextOf(keyOf('a'), a, 1, {
                columns: { status: 'completed' },
                tasks: [taskOf()],
                outbox: [bytesOf('message')],
                mail: [{ processId: 'p', bytes: bytesOf('letter') }],
              }),
              newRun(keyOf('c')),
              nextOf(keyOf('b'), b, 7),
            ),
          },
        ]);
        expect(outcomes(results)).toEqual(['conflict']);
        expect(await store.runs.heads({ refs: [a, b] })).toEqual([
          { ref: a, version: 1 },
          { ref: b, version: 1 },
        ]);
        expect(await store.runs.load({ key: keyOf('c') })).toBeUndefined();
        expect(await store.tasks.queues()).toEqual([]);
        expect(await store.outbox.overdue({ createdBefore: 1e15, limit: 9 })).toEqual([]);
        expect(await store.mail.take({ processId: 'p' })).toEqual([]);
        const counted = await store.visibility.count({ namespaceId, groupByStatus: true });
        expect(counted).toEqual({ count: 2, groups: [{ status: 'running', count: 2 }] });
      });

      it('writes nothing when a run that was only read has another version, or is gone', async () => {
        const a = await start(store, keyOf('a'));
        const b = await start(store, keyOf('b'));
        const reading = (expectedVersion: number) => ({
          ...groupOf(nextOf(keyOf('b'), b, 1)),
          reads: [{ ref: a, expectedVersion }],
        });
        expect(outcomes(await store.commit([reading(2)]))).toEqual(['conflict']);
        // The first group moves the run that the second has read.
        const both = await store.commit([groupOf(nextOf(keyOf('a'), a, 1)), reading(1)]);
        expect(outcomes(both)).toEqual(['committed', 'conflict']);
        expect(outcomes(await store.commit([reading(2)]))).toEqual(['committed']);
        expect(await store.runs.heads({ refs: [a, b] })).toEqual([
          { ref: a, version: 2 },
          { ref: b, version: 2 },
        ]);
        await store.runs.delete({ refs: [a] });
        const gone = { ...groupOf(nextOf(keyOf('b'), b, 2)), reads: reading(2).reads };
        expect(outcomes(await store.commit([gone]))).toEqual(['conflict']);
      });

      it('writes the other groups of a call when one conflicts, each seeing those before it', async () => {
        const a = await start(store, keyOf('a'));
        const results = await store.commit([
          groupOf(newRun(keyOf('b'))),
          groupOf(nextOf(keyOf('a'), a, 9)),
          groupOf(newRun(keyOf('b', 'other'))),
          groupOf(nextOf(keyOf('a'), a, 1)),
          groupOf(nextOf(keyOf('a'), a, 1)),
          groupOf(nextOf(keyOf('a'), a, 2)),
        ]);
        expect(outcomes(results)).toEqual([
          'committed',
          'conflict',
          'conflict',
          'committed',
          'conflict',
          'committed',
        ]);
        expect((await store.runs.loadByRef({ ref: a }))?.version).toBe(3);
      });

      it('never gives a ref out twice', async () => {
        const first = await start(store, keyOf('a'));
        await store.runs.delete({ refs: [first] });
        const second = await start(store, keyOf('a'));
        expect(second).toBeGreaterThan(first);
        const other = await open();
        expect(await start(other, keyOf('b'))).not.toBe(second);
      });

      it('lets one of two processes win when both write the same version', async () => {
        const other = await open();
        const ref = await start(store, keyOf('a'));
        const [mine, theirs] = await Promise.all([
          store.commit([groupOf(nextOf(keyOf('a'), ref, 1))]),
          other.commit([groupOf(nextOf(keyOf('a'), ref, 1))]),
        ]);
        expect([...outcomes(mine), ...outcomes(theirs)].sort()).toEqual(['committed', 'conflict']);
        expect((await other.runs.loadByRef({ ref }))?.version).toBe(2);
      });

      it('does nothing for a call without groups', async () => {
        expect(await store.commit([])).toEqual([]);
      });
    });

    describe('runs', () => {
      it('answers undefined, or nothing, for runs that are not there', async () => {
        expect(await store.runs.load({ key: keyOf('x') })).toBeUndefined();
        expect(await store.runs.loadByRef({ ref: 77 })).toBeUndefined();
        expect(await store.runs.loadCurrent({ namespaceId: 'x', workflowId: 'x' })).toBeUndefined();
        expect(await store.runs.heads({ refs: [77] })).toEqual([]);
        expect(await store.runs.currentHead({ namespaceId: 'x', workflowId: 'x' })).toBeUndefined();
        expect(await store.runs.nextWakeAt()).toBe(0);
        await store.runs.delete({ refs: [77] });
      });

      it('lists due runs earliest first, and leaves out those without a wake-up', async () => {
        const c = await start(store, keyOf('c'), { columns: { wakeAt: 30 } });
        const a = await start(store, keyOf('a'), { columns: { wakeAt: 10 } });
        const b = await start(store, keyOf('b'), { columns: { wakeAt: 20 } });
        await start(store, keyOf('none'));
        expect(await store.runs.nextWakeAt()).toBe(10);
        const due = [
          { ref: a, wakeAt: 10 },
          { ref: b, wakeAt: 20 },
        ];
        expect(await store.runs.due({ now: 20, limit: 10 })).toEqual(due);
        expect(await store.runs.due({ now: 20, limit: 10 })).toEqual(due);
        expect(await store.runs.due({ now: 99, limit: 1 })).toEqual(due.slice(0, 1));
        expect(await store.runs.due({ now: 9, limit: 10 })).toEqual([]);
        expect((await store.runs.due({ now: 30, limit: 10 })).at(-1)?.ref).toBe(c);
      });

      it('follows a wake-up that moves, and moves back', async () => {
        const key = keyOf('a');
        const ref = await start(store, key, { columns: { wakeAt: 10 } });
        await write(store, nextOf(key, ref, 1, { columns: { wakeAt: 40 } }));
        expect(await store.runs.due({ now: 39, limit: 9 })).toEqual([]);
        expect(await store.runs.nextWakeAt()).toBe(40);
        await write(store, nextOf(key, ref, 2, { columns: { wakeAt: 10 } }));
        expect(await store.runs.due({ now: 99, limit: 9 })).toEqual([{ ref, wakeAt: 10 }]);
        await write(store, nextOf(key, ref, 3, { columns: { wakeAt: 0 } }));
        expect(await store.runs.due({ now: 99, limit: 9 })).toEqual([]);
        expect(await store.runs.nextWakeAt()).toBe(0);
      });

      it('keeps a wake-up that is earlier than it need be until a write moves it', async () => {
        const key = keyOf('a');
        const ref = await start(store, key, { columns: { wakeAt: 10 } });
        await write(store, nextOf(key, ref, 1, { columns: { wakeAt: 10, historyEvents: 5 } }));
        expect(await store.runs.due({ now: 10, limit: 9 })).toEqual([{ ref, wakeAt: 10 }]);
      });

      it('lists the runs a process holds, with those that several hold', async () => {
        const mine = await start(store, keyOf('a'), { columns: { holder: 'p1' } });
        const shared = await start(store, keyOf('b'), { columns: { holder: '*' } });
        await start(store, keyOf('c'), { columns: { holder: 'p2' } });
        await start(store, keyOf('d'));
        expect(await store.runs.heldBy({ processId: 'p1' })).toEqual([mine, shared]);
        await write(store, nextOf(keyOf('a'), mine, 1));
        expect(await store.runs.heldBy({ processId: 'p1' })).toEqual([shared]);
      });

      it('lists expired runs earliest first', async () => {
        const late = await start(store, keyOf('a'), { columns: { deleteAt: 20 } });
        const early = await start(store, keyOf('b'), { columns: { deleteAt: 10 } });
        await start(store, keyOf('c'));
        expect(await store.runs.expired({ now: 15, limit: 9 })).toEqual([early]);
        expect(await store.runs.expired({ now: 25, limit: 9 })).toEqual([early, late]);
        expect(await store.runs.expired({ now: 25, limit: 1 })).toEqual([early]);
      });

      it('leaves out of the expired those of which a message waits', async () => {
        const outbox = [bytesOf('message')];
        const waits = await start(store, keyOf('a'), { columns: { deleteAt: 10 }, outbox });
        const expired = await start(store, keyOf('b'), { columns: { deleteAt: 20 } });
        expect(await store.runs.expired({ now: 25, limit: 1 })).toEqual([expired]);
        const [message] = await store.outbox.ofRun({ ref: waits });
        await store.outbox.delete({ outboxIds: [message?.outboxId ?? 0] });
        expect(await store.runs.expired({ now: 25, limit: 9 })).toEqual([waits, expired]);
      });

      it('deletes a run with everything of its own and nothing of another', async () => {
        const everything: WriteOptions = {
          columns: { wakeAt: 5, deleteAt: 6, holder: 'p' },
          history: { firstEventId: 1, nextEventId: 3, bytes: bytesOf('events') },
          tasks: [taskOf()],
          outbox: [bytesOf('message')],
        };
        const ref = await start(store, keyOf('a'), everything);
        const kept = await start(store, keyOf('b'), everything);
        await store.runs.delete({ refs: [ref] });
        const outbox = await store.outbox.overdue({ createdBefore: 1e15, limit: 9 });
        expect(outbox.map((row) => row.ref)).toEqual([kept]);
        expect(await store.runs.load({ key: keyOf('a') })).toBeUndefined();
        expect(await store.runs.loadCurrent({ namespaceId, workflowId: 'a' })).toBeUndefined();
        expect(await store.runs.currentHead({ namespaceId, workflowId: 'a' })).toBeUndefined();
        expect(await store.runs.heads({ refs: [ref, kept] })).toHaveLength(1);
        expect(await store.runs.due({ now: 99, limit: 9 })).toEqual([{ ref: kept, wakeAt: 5 }]);
        await store.outbox.delete({
          outboxIds: (await store.outbox.ofRun({ ref: kept })).map(({ outboxId }) => outboxId),
        });
        expect(await store.runs.expired({ now: 99, limit: 9 })).toEqual([kept]);
        expect(await store.runs.heldBy({ processId: 'p' })).toEqual([kept]);
        expect(await store.history.read({ ref, fromEventId: 1, bytesMax: 99 })).toEqual([]);
        expect((await store.tasks.queues()).map(({ count }) => count)).toEqual([1]);
        expect(
          (await store.visibility.list({ namespaceId, limit: 9 })).map((run) => run.ref),
        ).toEqual([kept]);
        const { count } = await store.visibility.count({ namespaceId, groupByStatus: false });
        expect(count).toBe(1);
        await start(store, keyOf('a'));
      });
    });

    describeVisibility(() => store);
    describeRows(
      () => store,
      open,
      () => fixture,
    );
  });
}
