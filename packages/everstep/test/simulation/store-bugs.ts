/** Planted bugs between the engine and its store: what a store or a commit could do wrong. */
import { decodeBatch, encodeBatch } from '../../src/core/history-batch.ts';
import type { CommitGroup, CommitResult, RunWrite, Store } from '../../src/store/store.ts';
import type { PlantedBug } from './planted-bug.ts';

type Commit = (groups: readonly CommitGroup[]) => Promise<readonly CommitResult[]>;

/** The store with some of its nouns replaced. */
function storeWith(store: Store, nouns: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name in nouns) return Reflect.get(nouns, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

function withCommit(store: Store, commit: (commit: Commit) => Commit): Store {
  return storeWith(store, { commit: commit((groups) => store.commit(groups)) });
}

function eachWrite(store: Store, change: (write: RunWrite) => RunWrite): Store {
  return withCommit(
    store,
    (commit) => (groups) =>
      commit(groups.map((group) => ({ ...group, writes: group.writes.map(change) }))),
  );
}

export const storeBugs: readonly PlantedBug[] = [
  {
    name: 'lost-wake-up',
    what: 'a run whose deadline has come is left out of the list of those that are due',
    store: (store) =>
      storeWith(store, {
        runs: {
          ...store.runs,
          due: async (request) =>
            (await store.runs.due(request)).filter(({ ref }) => ref % 3 !== 0),
        },
      }),
  },
  {
    name: 'glance-blind',
    what: 'the one question of every second does not see rows that nobody has claimed',
    store: (store) => {
      const glance = store.glance?.bind(store);
      if (glance === undefined) return store;
      return storeWith(store, {
        glance: async (request) => ({ ...(await glance(request)), hasTasks: false }),
      });
    },
  },
  {
    name: 'late-wake-up',
    what: 'the column says that a run is to be woken five seconds after its deadline',
    store: (store) =>
      eachWrite(store, (write) =>
        write.columns.wakeAt === 0
          ? write
          : { ...write, columns: { ...write.columns, wakeAt: write.columns.wakeAt + 5_000 } },
      ),
  },
  {
    name: 'no-version-check',
    what: 'a commit is written although another process wrote first',
    store: (store) =>
      withCommit(store, (commit) => async (groups) => {
        const forced: CommitGroup[] = [];
        for (const group of groups) {
          const writes: RunWrite[] = [];
          for (const write of group.writes) {
            const [head] =
              write.ref === undefined ? [] : await store.runs.heads({ refs: [write.ref] });
            writes.push(head ? { ...write, expectedVersion: head.version } : write);
          }
          forced.push({ ...group, writes });
        }
        return commit(forced);
      }),
  },
  {
    name: 'no-current-check',
    what: 'a start does not ask whether its workflow id has a run by now',
    store: (store) =>
      withCommit(store, (commit) => async (groups) => {
        const forced: CommitGroup[] = [];
        for (const group of groups) {
          const writes: RunWrite[] = [];
          for (const write of group.writes) {
            const current =
              write.replaces === undefined ? undefined : await store.runs.loadCurrent(write.key);
            writes.push(
              write.replaces === undefined ? write : { ...write, replaces: current?.ref ?? null },
            );
          }
          forced.push({ ...group, writes });
        }
        return commit(forced);
      }),
  },
  {
    name: 'torn-chain',
    what: 'the close of a run and the run that continues it are two commits',
    store: (store) =>
      withCommit(store, (commit) => async (groups) => {
        const results: CommitResult[] = [];
        for (const group of groups) {
          const parts: CommitResult[] = [];
          for (const write of group.writes) {
            parts.push(...(await commit([{ ...group, writes: [write] }])));
          }
          const bad = parts.find(({ outcome }) => outcome !== 'committed');
          results.push(
            bad ?? {
              outcome: 'committed',
              refs: parts.flatMap((part) => (part.outcome === 'committed' ? part.refs : [])),
              outboxIds: parts.flatMap((part) =>
                part.outcome === 'committed' ? part.outboxIds : [],
              ),
            },
          );
        }
        return results;
      }),
  },
  {
    name: 'written-twice',
    what: 'a commit whose answer was lost is written again',
    store: (store, chance) =>
      withCommit(store, (commit) => async (groups) => {
        const results = await commit(groups);
        if (chance.next() >= 0.02) return results;
        const again = groups.filter((_group, index) => results[index]?.outcome === 'committed');
        await commit(
          again.map((group) => ({
            ...group,
            writes: group.writes
              .filter((write) => write.ref !== undefined)
              .map((write) => ({ ...write, expectedVersion: write.expectedVersion + 1 })),
          })),
        );
        return results;
      }),
  },
  {
    name: 'history-lost',
    what: 'the state of a run is written and its events are not',
    store: (store, chance) =>
      eachWrite(store, (write) => {
        if (chance.next() >= 0.01) return write;
        const { history: _history, ...rest } = write;
        return rest;
      }),
  },
  {
    name: 'row-lost',
    what: 'a task gets no row in its queue',
    store: (store, chance) =>
      eachWrite(store, (write) => (chance.next() < 0.02 ? { ...write, tasks: [] } : write)),
  },
  {
    name: 'message-lost',
    what: 'a message to another run is not kept with its commit',
    store: (store, chance) =>
      eachWrite(store, (write) =>
        write.outbox.length > 0 && chance.next() < 0.3 ? { ...write, outbox: [] } : write,
      ),
  },
  {
    name: 'claims-kept',
    what: 'what a dead process had claimed is not given back',
    store: (store) =>
      storeWith(store, {
        tasks: {
          ...store.tasks,
          releaseAll: () => Promise.resolve(),
          release: () => Promise.resolve(),
        },
      }),
  },
  {
    name: 'lonely-survivor',
    what: 'what a dead process leaves is looked for at the next look around, and there is none when it was the last',
    store: (store) => {
      // Between the burial of a process and the next look at who is there, no row is found.
      let blind = false;
      return storeWith(store, {
        processes: {
          ...store.processes,
          list: () => {
            blind = false;
            return store.processes.list();
          },
          remove: (request) => {
            blind = true;
            return store.processes.remove(request);
          },
        },
        tasks: {
          ...store.tasks,
          claim: (request) => (blind ? Promise.resolve([]) : store.tasks.claim(request)),
        },
      });
    },
  },
  {
    name: 'stale-read',
    what: 'a read takes the version of a run for the one that it knows',
    store: (store) => {
      const known = new Map<number, number>();
      return storeWith(store, {
        runs: {
          ...store.runs,
          heads: async (request) => {
            const heads = await store.runs.heads(request);
            return heads.map((head) => {
              const version = known.get(head.ref) ?? head.version;
              known.set(head.ref, version);
              return { ...head, version };
            });
          },
          currentHead: async (request) => {
            const head = await store.runs.currentHead(request);
            const version = head && known.get(head.ref);
            return head && version !== undefined ? { ...head, version } : head;
          },
        },
        commit: async (groups) => {
          const results = await store.commit(groups);
          for (const [index, result] of results.entries()) {
            if (result.outcome !== 'committed') continue;
            for (const [at, write] of (groups[index]?.writes ?? []).entries()) {
              known.set(result.refs[at] ?? 0, write.expectedVersion + 1);
            }
          }
          return results;
        },
      });
    },
  },
  {
    name: 'status-column',
    what: 'a run that has closed is listed as running',
    store: (store, chance) =>
      eachWrite(store, (write) =>
        write.columns.closeTime > 0 && chance.next() < 0.1
          ? { ...write, columns: { ...write.columns, status: 'running' } }
          : write,
      ),
  },
  {
    name: 'half-deleted',
    what: 'a deleted run leaves its row',
    store: (store) =>
      storeWith(store, { runs: { ...store.runs, delete: () => Promise.resolve() } }),
  },
  {
    name: 'events-swapped',
    what: 'the last two events of a commit change places',
    store: (store, chance) =>
      eachWrite(store, (write) => {
        if (!write.history || chance.next() >= 0.05) return write;
        const events = decodeBatch(write.history.bytes);
        const last = events.pop();
        if (events.length === 0 || !last) return write;
        events.splice(-1, 0, last);
        return { ...write, history: { ...write.history, bytes: encodeBatch(events) } };
      }),
  },
];
