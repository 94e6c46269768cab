/** Lists, counts and filters, as every store answers them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { keyOf, namespaceId, nextOf, start, write } from './store-fixture.contract.ts';
import type { Filter, Store } from './store.ts';

export function describeVisibility(getStore: () => Store): void {
  describe('visibility', () => {
    let store: Store;
    beforeEach(() => {
      store = getStore();
    });

    /** The workflow ids of what a filter lists, which must be as many as it counts. */
    async function idsOf(filter: Filter): Promise<string[]> {
      const runs = await store.visibility.list({ namespaceId, limit: 100, filter });
      const { count } = await store.visibility.count({ namespaceId, filter, groupByStatus: true });
      expect(count).toBe(runs.length);
      return runs.map((run) => run.key.workflowId).sort();
    }

    /** a: Keyword x, b: Keyword y, c: none of it, d: a list; d is closed and a child. */
    async function seed(): Promise<void> {
      await start(store, keyOf('a'), {
        columns: { startTime: 10, searchValues: { Kind: 'x', Total: 5, Paid: true } },
      });
      await start(store, keyOf('b'), {
        columns: { startTime: 20, searchValues: { Kind: 'y', Total: 7.5, Paid: false } },
      });
      await start(store, keyOf('c'), { columns: { startTime: 30, workflowType: 'Refund' } });
      await start(store, keyOf('d'), {
        columns: {
          startTime: 40,
          executionTime: 40,
          closeTime: 100,
          status: 'completed',
          taskQueue: 'slow',
          historyEvents: 50,
          parentWorkflowId: 'a',
          parentRunId: 'a-run',
          rootWorkflowId: 'a',
          searchValues: { Tags: ['red', 'green'] },
        },
      });
    }

    const kind = { custom: 'Kind' };
    const total = { custom: 'Total' };
    const tags = { custom: 'Tags' };

    it('lists the latest start first, and equal starts by ref', async () => {
      for (const [id, startTime] of [
        ['a', 10],
        ['b', 30],
        ['c', 20],
        ['d', 30],
      ] as const) {
        await start(store, keyOf(id), { columns: { startTime } });
      }
      const runs = await store.visibility.list({ namespaceId, limit: 9 });
      expect(runs.map((run) => run.key.workflowId)).toEqual(['d', 'b', 'c', 'a']);
      expect(await store.visibility.list({ namespaceId: 'other', limit: 9 })).toEqual([]);
    });

    it('pages by a cursor, without gaps or repeats while runs come and go', async () => {
      const refs = [];
      for (let i = 0; i < 10; i += 1) {
        refs.push(await start(store, keyOf(`w${i}`), { columns: { startTime: 10 + (i >> 1) } }));
      }
      const seen: string[] = [];
      let after: { startTime: number; ref: number } | undefined;
      for (;;) {
        const page = await store.visibility.list({
          namespaceId,
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        const last = page.at(-1);
        if (last === undefined) break;
        seen.push(...page.map((run) => run.key.workflowId));
        after = { startTime: last.columns.startTime, ref: last.ref };
        // The run the cursor names, and one that comes before it, do not disturb it.
        if (seen.length === 3) {
          await store.runs.delete({ refs: [last.ref] });
          await start(store, keyOf('late'), { columns: { startTime: 99 } });
        }
      }
      expect(seen).toEqual([...refs.keys()].map((i) => `w${9 - i}`));
    });

    it('shows what the last commit wrote', async () => {
      const ref = await start(store, keyOf('a'));
      const columns = {
        historyEvents: 9,
        wakeAt: 3,
        status: 'failed' as const,
        closeTime: 8,
        searchValues: { Kind: 'new' },
      };
      await write(store, nextOf(keyOf('a'), ref, 1, { columns }));
      const [run] = await store.visibility.list({ namespaceId, limit: 9 });
      expect(run?.columns).toMatchObject(columns);
      expect(await idsOf({ op: '=', field: kind, value: 'new' })).toEqual(['a']);
    });

    it('compares custom attributes by their values', async () => {
      await seed();
      expect(await idsOf({ op: '=', field: kind, value: 'x' })).toEqual(['a']);
      expect(await idsOf({ op: 'in', field: kind, values: ['x', 'y', 'z'] })).toEqual(['a', 'b']);
      expect(await idsOf({ op: 'in', field: kind, values: [] })).toEqual([]);
      expect(await idsOf({ op: '>', field: total, value: 5 })).toEqual(['b']);
      expect(await idsOf({ op: '>=', field: total, value: 5 })).toEqual(['a', 'b']);
      expect(await idsOf({ op: '<', field: total, value: 7.5 })).toEqual(['a']);
      expect(await idsOf({ op: '=', field: { custom: 'Paid' }, value: true })).toEqual(['a']);
      expect(await idsOf({ op: '=', field: { custom: 'Paid' }, value: false })).toEqual(['b']);
      expect(await idsOf({ op: 'startsWith', field: kind, value: 'x' })).toEqual(['a']);
    });

    it('leaves out runs that lack the attribute, from a condition and from its negation', async () => {
      await seed();
      expect(await idsOf({ op: '!=', field: kind, value: 'x' })).toEqual(['b']);
      const is: Filter = { op: '=', field: kind, value: 'x' };
      expect(await idsOf({ op: 'not', term: is })).toEqual(['b']);
      const isIn: Filter = { op: 'in', field: kind, values: ['x', 'z'] };
      expect(await idsOf({ op: 'not', term: isIn })).toEqual(['b']);
      expect(await idsOf({ op: 'isNull', field: kind })).toEqual(['c', 'd']);
      expect(await idsOf({ op: 'not', term: { op: 'isNull', field: kind } })).toEqual(['a', 'b']);
      const otherwise: Filter = { op: '=', field: { system: 'status' }, value: 'completed' };
      expect(await idsOf({ op: 'or', terms: [is, otherwise] })).toEqual(['a', 'd']);
      expect(await idsOf({ op: 'not', term: { op: 'and', terms: [is, otherwise] } })).toEqual([
        'a',
        'b',
        'c',
      ]);
    });

    it('finds a value in a list', async () => {
      await seed();
      expect(await idsOf({ op: '=', field: tags, value: 'red' })).toEqual(['d']);
      expect(await idsOf({ op: 'in', field: tags, values: ['blue', 'green'] })).toEqual(['d']);
      expect(await idsOf({ op: '!=', field: tags, value: 'blue' })).toEqual(['d']);
      expect(await idsOf({ op: '!=', field: tags, value: 'red' })).toEqual([]);
      const lacksOrDiffers: Filter = {
        op: 'or',
        terms: [
          { op: 'isNull', field: tags },
          { op: '!=', field: tags, value: 'red' },
        ],
      };
      expect(await idsOf(lacksOrDiffers)).toEqual(['a', 'b', 'c']);
    });

    it('compares nothing with a value of another type', async () => {
      await seed();
      expect(await idsOf({ op: '=', field: total, value: '5' })).toEqual([]);
      expect(await idsOf({ op: '!=', field: kind, value: 1 })).toEqual([]);
      expect(await idsOf({ op: '<', field: { system: 'startTime' }, value: 'z' })).toEqual([]);
      expect(await idsOf({ op: '=', field: { custom: 'Paid' }, value: 1 })).toEqual([]);
    });

    it('filters by the columns of the system', async () => {
      await seed();
      const has = (
        system: 'workflowId' | 'runId' | 'taskQueue' | 'rootWorkflowId',
        value: string,
      ) => idsOf({ op: '=', field: { system }, value });
      expect(await has('workflowId', 'b')).toEqual(['b']);
      expect(await has('runId', 'c-run')).toEqual(['c']);
      expect(await has('taskQueue', 'slow')).toEqual(['d']);
      expect(await has('rootWorkflowId', 'a')).toEqual(['a', 'd']);
      const between: Filter = {
        op: 'and',
        terms: [
          { op: '>=', field: { system: 'startTime' }, value: 20 },
          { op: '<=', field: { system: 'startTime' }, value: 30 },
        ],
      };
      expect(await idsOf(between)).toEqual(['b', 'c']);
      expect(await idsOf({ op: 'not', term: between })).toEqual(['a', 'd']);
      expect(await idsOf({ op: '>', field: { system: 'historyEvents' }, value: 10 })).toEqual([
        'd',
      ]);
      expect(await idsOf({ op: '=', field: { system: 'workflowType' }, value: 'Refund' })).toEqual([
        'c',
      ]);
    });

    it('has no close time, duration or parent for runs that have none', async () => {
      await seed();
      expect(await idsOf({ op: 'isNull', field: { system: 'closeTime' } })).toEqual([
        'a',
        'b',
        'c',
      ]);
      expect(await idsOf({ op: '<', field: { system: 'closeTime' }, value: 1_000 })).toEqual(['d']);
      expect(await idsOf({ op: '=', field: { system: 'executionDuration' }, value: 60 })).toEqual([
        'd',
      ]);
      const parent = { system: 'parentWorkflowId' } as const;
      expect(await idsOf({ op: '=', field: parent, value: 'a' })).toEqual(['d']);
      expect(await idsOf({ op: '!=', field: parent, value: 'z' })).toEqual(['d']);
    });

    it('takes a prefix literally', async () => {
      for (const id of ['50%', '50%-off', '500', '_x', 'ax', 'Über', 'über-1', '😀-1']) {
        await start(store, keyOf(id));
      }
      const starting = (value: string) =>
        idsOf({ op: 'startsWith', field: { system: 'workflowId' }, value });
      expect(await starting('50%')).toEqual(['50%', '50%-off']);
      expect(await starting('_')).toEqual(['_x']);
      expect(await starting('über')).toEqual(['über-1']);
      expect(await starting('😀')).toEqual(['😀-1']);
      expect(await starting('')).toHaveLength(8);
    });

    it('takes quotes in names and values literally', async () => {
      await start(store, keyOf("it's"), { columns: { searchValues: { "Own's": "o'clock" } } });
      expect(await idsOf({ op: '=', field: { custom: "Own's" }, value: "o'clock" })).toEqual([
        "it's",
      ]);
    });

    it('counts by status, with those left out that have none', async () => {
      await seed();
      const counted = await store.visibility.count({ namespaceId, groupByStatus: true });
      expect(counted).toEqual({
        count: 4,
        groups: [
          { status: 'completed', count: 1 },
          { status: 'running', count: 3 },
        ],
      });
      const nobody = { namespaceId: 'other', groupByStatus: true };
      expect(await store.visibility.count(nobody)).toEqual({ count: 0, groups: [] });
      const filter: Filter = { op: '>', field: total, value: 0 };
      expect(await store.visibility.count({ namespaceId, filter, groupByStatus: true })).toEqual({
        count: 2,
        groups: [{ status: 'running', count: 2 }],
      });
      expect(await store.visibility.count({ namespaceId, groupByStatus: false })).toEqual({
        count: 4,
        groups: [],
      });
    });
  });
}
