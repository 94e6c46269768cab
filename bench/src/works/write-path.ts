/**
 * The commits of Everstep's own store, without an engine before it: the units of the yardstick, as its engine hands them
 * over, 200 at once and one at a time. What is between this row and `PostgreSQL alone` is the store's; what is between
 * this one and the tasks is the engine's.
 */
import type { Store } from 'everstep';
import { expectEqual } from '../expectation.ts';
import { postgresStore } from '../postgres.ts';
import { lapOf } from '../stopwatch.ts';
import { unitFigures } from './unit-figures.ts';
import { warmUpOf, type Work } from './work.ts';

const runs = 1_000;
const eventsOfUnit = 3;
const unitsOfCall = 200;
const namespaceId = 'bench';
const bytes = new Uint8Array(200).fill(7);
const batch = new Uint8Array(200 * eventsOfUnit).fill(7);

type Group = Parameters<Store['commit']>[0][number];
type Write = Group['writes'][number];

export const writePath: Work = async ({ stage, storeUrl, n }) => {
  const store = await postgresStore(storeUrl);
  await store.open();
  const many = Math.ceil(n / unitsOfCall) * unitsOfCall;
  const few = Math.ceil(n / 10);
  const warmUp = Math.ceil(warmUpOf(many) / unitsOfCall) * unitsOfCall;
  const writer = await Writer.on(store, warmUp + many + few);
  await writer.write(warmUp, unitsOfCall);
  const together = await lapOf(stage, () => writer.write(many, unitsOfCall));
  const latencies: number[] = [];
  const single = await lapOf(stage, () => writer.write(few, 1, latencies));
  const left = await store.tasks.backlog({ namespaceId, kind: 'workflow', taskQueue: 'queue' });
  expectEqual(left.count, warmUp + many + few, 'the number of tasks');
  await store.close();
  return [
    unitFigures(`${unitsOfCall} units a call`, many, together),
    unitFigures('one unit a call', few, single, latencies),
  ];
};

class Writer {
  readonly #store: Store;
  readonly #refs: readonly number[];
  readonly #versions: number[];
  /** Rows that units use up. */
  readonly #tasks: readonly number[];
  #written = 0;

  private constructor(store: Store, refs: readonly number[], tasks: readonly number[]) {
    this.#store = store;
    this.#refs = refs;
    this.#versions = refs.map(() => 1);
    this.#tasks = tasks;
  }

  /** With runs, and a task for each unit to come. */
  static async on(store: Store, units: number): Promise<Writer> {
    const process = { processId: 'bench', pid: 1, hostId: 'bench', startedAt: 1, heartbeatAt: 1 };
    await store.processes.announce({ process: { ...process, queues: [] } });
    const each = Math.ceil(units / runs);
    const results = await store.commit(
      Array.from({ length: runs }, (_item, run) => groupOf(writeOf(run, 0, undefined, each), [])),
    );
    const refs = results.map((result) => {
      expectEqual(result.outcome, 'committed', 'the outcome of a start');
      return result.outcome === 'committed' ? (result.refs[0] ?? 0) : 0;
    });
    const tasks: number[] = [];
    for (;;) {
      const rows = await store.tasks.claim({
        namespaceId,
        kind: 'workflow',
        taskQueue: 'queue',
        processId: 'bench',
        limit: 5_000,
        evenAlone: true,
      });
      if (rows.length === 0) break;
      tasks.push(...rows.map(({ taskId }) => taskId));
    }
    expectEqual(tasks.length, each * runs, 'the number of tasks that were claimed');
    // What the units leave is counted: each uses up one of these and makes one.
    await store.tasks.delete({ taskIds: tasks.splice(units) });
    return new Writer(store, refs, tasks);
  }

  async write(units: number, aCall: number, latencies?: number[]): Promise<void> {
    for (let left = units; left > 0; left -= aCall) {
      const groups = Array.from({ length: aCall }, (_item, index) => this.#unit(index));
      const before = performance.now();
      const results = await this.#store.commit(groups);
      latencies?.push(performance.now() - before);
      const wrong = results.find(({ outcome }) => outcome !== 'committed');
      expectEqual(wrong?.outcome, undefined, 'an outcome of a commit');
      this.#written += aCall;
    }
  }

  #unit(index: number): Group {
    const place = this.#written + index;
    const run = place % runs;
    const version = this.#versions[run] ?? 0;
    this.#versions[run] = version + 1;
    return groupOf(writeOf(run, version, this.#refs[run], 1), [this.#tasks[place] ?? 0]);
  }
}

function groupOf(write: Write, doneTasks: readonly number[]): Group {
  return { writes: [write], doneTasks, doneOutbox: [], now: 5_000 };
}

/** A run's next transition; `ref` undefined: its start. */
function writeOf(run: number, version: number, ref: number | undefined, tasks: number): Write {
  const workflowId = `run-${run}`;
  const runId = `${workflowId}-id`;
  const firstEventId = version * eventsOfUnit + 1;
  const nextEventId = firstEventId + eventsOfUnit;
  return {
    key: { namespaceId, workflowId, runId },
    ...(ref === undefined ? { replaces: null } : { ref }),
    expectedVersion: version,
    operationToken: `bench:${run}:${version}`,
    state: bytes,
    columns: {
      workflowType: 'bench',
      taskQueue: 'queue',
      status: 'running',
      holder: 'bench',
      startTime: 1_000,
      executionTime: 1_000,
      closeTime: 0,
      wakeAt: 0,
      deleteAt: 0,
      historyEvents: nextEventId - 1,
      historyBytes: 200 * (nextEventId - 1),
      parentWorkflowId: '',
      parentRunId: '',
      rootWorkflowId: workflowId,
      rootRunId: runId,
      firstRunId: runId,
    },
    history: { firstEventId, nextEventId, bytes: batch },
    tasks: Array.from({ length: tasks }, () => ({
      kind: 'workflow' as const,
      taskQueue: 'queue',
      normalTaskQueue: '',
      type: 'bench',
      scheduledEventId: 2,
      stamp: 1,
      createdAt: 1_000,
    })),
    outbox: [],
    mail: [],
  };
}
