import { expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { gate, rejection, silent } from '../../test/tasks/running-component.ts';
import { startRuntime, stopRuntime } from '../component/runtime.ts';
import { systemRandom } from '../service/system-clock.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { AsyncTask } from '../tasks/async-task.ts';
import { ApplicationFailure } from '@temporalio/common';
import type { TaskPullerOptions } from './puller-options.ts';
import { TaskPuller } from './task-puller.ts';

interface Row {
  readonly id: number;
}

/** A user's system: rows that wait until they are reported. */
class Ledger {
  readonly rows: Row[] = [];
  readonly reports: string[] = [];
  readonly limits: number[] = [];
  readonly fetchedAt: number[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, rows: number) {
    this.#clock = clock;
    for (let id = 1; id <= rows; id += 1) this.rows.push({ id });
  }

  fetch(limit: number): Promise<Row[]> {
    this.limits.push(limit);
    this.fetchedAt.push(this.#clock.now);
    return Promise.resolve(this.rows.slice(0, limit));
  }

  report(row: Row, said: string): void {
    this.reports.push(`${row.id} ${said}`);
    const at = this.rows.findIndex(({ id }) => id === row.id);
    if (at >= 0) this.rows.splice(at, 1);
  }
}

type Options = TaskPullerOptions<Row, { id: number }, number, { id: number }>;

async function world(
  rows: number,
  task: AsyncTask<{ id: number }, number, { id: number }>,
  steps = 100,
) {
  const clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  const view = clock.view();
  const taskQueue = 'async-tasks';
  const runtime = await startRuntime({
    store,
    clock: view,
    random: systemRandom,
    logger: silent,
    namespace: 'default',
    retentionMs: 86_400_000,
    worker: { tasks: [task.definition], activities: [], taskQueue, concurrency: { steps } },
  });
  onTestFinished(() => stopRuntime(runtime, store, 0));
  task.connect({ client: runtime.client, taskQueue, clock: view, random: systemRandom });
  const ledger = new Ledger(clock, rows);
  const puller = (options: Partial<Options> = {}): TaskPuller<Row, { id: number }, number> => {
    const made = new TaskPuller<Row, { id: number }, number, { id: number }>(
      {
        name: 'rows',
        task,
        fetch: (limit) => ledger.fetch(limit),
        taskId: ({ id }) => `row-${id}`,
        params: ({ id }) => ({ id }),
        report: (row, { status, result, error }) =>
          ledger.report(row, `${status} ${String(result ?? error)}`),
        logger: silent,
        ...options,
      },
      view,
    );
    onTestFinished(async () => {
      const stopped = made.stop({ gracePeriod: 0 });
      await clock.advance(0);
      await stopped;
    });
    return made;
  };
  return { clock, ledger, puller };
}

function doubling(ran: number[] = []): AsyncTask<{ id: number }, number, { id: number }> {
  return new AsyncTask({
    name: 'double',
    retryPolicy: { maxRetries: 0 },
    task: async ({ id }: { id: number }) => {
      ran.push(id);
      if (id === 3) throw ApplicationFailure.nonRetryable('three is refused');
      return id * 2;
    },
  });
}

it('starts each row once under its own id, and reports how it ended', async () => {
  const ran: number[] = [];
  const { clock, ledger, puller } = await world(4, doubling(ran));
  const pulling = puller();
  await pulling.start();
  await clock.advance(1000);
  expect(new Set(ran)).toEqual(new Set([1, 2, 3, 4]));
  expect(ran).toHaveLength(4);
  expect(ledger.reports.toSorted()).toEqual([
    '1 completed 2',
    '2 completed 4',
    '3 failed three is refused',
    '4 completed 8',
  ]);
  expect(pulling.status()).toMatchObject({
    state: 'running',
    started: 4,
    reported: 4,
    underWay: 0,
  });
});

it('finds the finished task of a row that was not reported before, and reports it then', async () => {
  const ran: number[] = [];
  const { clock, ledger, puller } = await world(2, doubling(ran));
  const first = puller({
    report: () => {
      throw new Error('the ledger is away');
    },
  });
  await first.start();
  await clock.advance(5000);
  expect(first.status()).toMatchObject({
    reported: 0,
    underWay: 2,
    lastError: 'the ledger is away',
  });
  const stopped = first.stop({ gracePeriod: 100 });
  await clock.advance(100);
  await stopped;
  expect(first.status().state).toBe('stopped');
  await puller().start();
  await clock.advance(1000);
  expect(new Set(ran)).toEqual(new Set([1, 2]));
  expect(ran).toHaveLength(2);
  expect(ledger.reports.toSorted()).toEqual(['1 completed 2', '2 completed 4']);
});

it('repeats a report that throws or hangs, with growing waits, until it succeeds', async () => {
  const { clock, ledger, puller } = await world(1, doubling());
  const triedAt: number[] = [];
  const signals: AbortSignal[] = [];
  await puller({
    callTimeout: 500,
    report: (row, { status }, signal) => {
      triedAt.push(clock.now);
      signals.push(signal);
      if (triedAt.length === 1) return new Promise(() => undefined);
      if (triedAt.length < 4) throw new Error('not now');
      return ledger.report(row, status);
    },
  }).start();
  const from = clock.now;
  await clock.advance(20_000);
  expect(triedAt.map((at) => at - from)).toEqual([0, 1500, 3500, 7500]);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false, false, false]);
  expect(ledger.reports).toEqual(['1 completed']);
});

it('starts a row again whose start hangs, and does not wait for one that hangs when it stops', async () => {
  const task = doubling();
  const { clock, ledger, puller } = await world(1, task);
  const hang = (): Promise<string> => new Promise(() => undefined);
  const submit = vi.spyOn(task, 'submit').mockImplementationOnce(hang);
  const pulling = puller({ callTimeout: 500 });
  await pulling.start();
  await clock.advance(500);
  expect(pulling.status()).toMatchObject({
    started: 0,
    lastError: 'The start of row-1 has not answered within 500 ms.',
  });
  await clock.advance(2000);
  expect(ledger.reports).toEqual(['1 completed 2']);
  submit.mockImplementation(hang);
  ledger.rows.push({ id: 2 });
  await clock.advance(2000);
  expect(pulling.status()).toMatchObject({ underWay: 1, started: 1 });
  const stopped = pulling.stop({ gracePeriod: 0 });
  await clock.advance(0);
  await stopped;
  expect(pulling.status()).toMatchObject({ state: 'stopped', underWay: 0 });
});

it('fetches again after a fetch that throws, hangs or gives no list', async () => {
  const { clock, ledger, puller } = await world(1, doubling());
  const answers = [
    () => Promise.reject(new Error('refused')),
    () => new Promise<Row[]>(() => undefined),
    () => Promise.resolve(undefined as unknown as Row[]),
    (limit: number) => ledger.fetch(limit),
  ];
  const errors: (string | undefined)[] = [];
  const pulling = puller({
    callTimeout: 500,
    fetch: (limit) => {
      errors.push(pulling.status().lastError);
      return (answers.shift() ?? ((n: number) => ledger.fetch(n)))(limit);
    },
  });
  await pulling.start();
  await clock.advance(10);
  expect(pulling.status().state).toBe('backing-off');
  await clock.advance(20_000);
  expect(errors.slice(0, 4)).toEqual([
    undefined,
    'refused',
    'fetch() of puller "rows" has not answered within 500 ms.',
    'fetch() of puller "rows" gave undefined; expected a list of rows.',
  ]);
  expect(ledger.reports).toEqual(['1 completed 2']);
  expect(pulling.status().state).toBe('running');
});

it('polls quickly under work, and ever more slowly without', async () => {
  const { clock, ledger, puller } = await world(2, doubling());
  await puller({
    polling: { minInterval: 10, maxInterval: 65, emptyPollsBeforeBackoff: 2, batchSize: 1 },
  }).start();
  const from = clock.now;
  await clock.advance(300);
  ledger.rows.push({ id: 9 });
  await clock.advance(60);
  const gaps = ledger.fetchedAt.map((at, index) => at - (ledger.fetchedAt[index - 1] ?? from));
  //             two rows, two empty ones, then growing waits; the new row; quick again
  expect(gaps).toEqual([0, 10, 10, 10, 20, 40, 65, 65, 65, 65, 10]);
});

it('fetches no more while the backlog is at its limit, and goes on when workers have caught up', async () => {
  const open = gate();
  const ran: number[] = [];
  const task = new AsyncTask({
    name: 'slow',
    task: async ({ id }: { id: number }) => {
      ran.push(id);
      await open.opened;
      return id;
    },
  });
  const { clock, ledger, puller } = await world(30, task, 2);
  const pulling = puller({ backpressure: { maxBacklog: 5, checkInterval: 1000 } });
  await pulling.start();
  await clock.advance(5000);
  // Two run; five wait.
  expect(pulling.status()).toMatchObject({ state: 'paused', started: 7, backlog: 5 });
  expect(await task.backlog()).toBe(5);
  expect(ran).toEqual([1, 2]);
  open.open();
  await clock.advance(5000);
  expect(ledger.reports).toHaveLength(30);
  expect(pulling.status()).toMatchObject({ state: 'running', reported: 30, backlog: 0 });
});

it('goes past rows that cannot become a task, says so, and tries them again later', async () => {
  const { clock, ledger, puller } = await world(6, doubling());
  const refused: string[] = [];
  const pulling = puller({
    polling: { batchSize: 1 },
    retry: { maxDelay: '10s' },
    taskId: ({ id }) => (id === 1 ? '' : `row-${id}`),
    params: ({ id }) => {
      if (id === 2) throw new Error('no such column');
      return id === 4 ? ({ id: 4n } as unknown as { id: number }) : { id };
    },
    reject: (row, { message }) => {
      refused.push(`${row.id} ${message}`);
    },
  });
  await pulling.start();
  await clock.advance(3000);
  expect(ledger.reports.map((report) => report.slice(0, 1))).toEqual(['3', '5', '6']);
  expect(refused).toContain('2 params() of puller "rows" threw for row-2: no such column');
  expect(refused.some((line) => line.startsWith('1 taskId is ""'))).toBe(true);
  expect(refused.filter((line) => line.startsWith('4 '))).toHaveLength(1);
  await clock.advance(30_000);
  expect(refused.filter((line) => line.startsWith('4 ')).length).toBeGreaterThan(1);
});

it('asks a list for the rows it has as well, and takes of a claim every row', async () => {
  const open = gate();
  const task = new AsyncTask({
    name: 'held',
    task: async ({ id }: { id: number }) => {
      await open.opened;
      return id;
    },
  });
  const { clock, ledger, puller } = await world(9, task);
  const polling = { batchSize: 4 };
  const list = puller({ polling });
  await list.start();
  await clock.advance(250);
  expect(ledger.limits).toEqual([4, 8, 12]);
  expect(list.status().underWay).toBe(9);
  const claims = puller({
    polling,
    source: 'claim',
    taskId: ({ id }) => `claim-${id}`,
    fetch: () => Promise.resolve(ledger.rows.slice(0, 7)),
  });
  await claims.start();
  await clock.advance(50);
  expect(claims.status().underWay).toBe(7);
});

it('holds no more rows than it may, and takes the next when one is reported', async () => {
  const opened = [gate(), gate(), gate()];
  const task = new AsyncTask({
    name: 'one-by-one',
    task: async ({ id }: { id: number }) => {
      await opened[id - 1]?.opened;
      return id;
    },
  });
  const { clock, puller } = await world(3, task);
  const pulling = puller({ maxUnderWay: 2, backpressure: false });
  await pulling.start();
  await clock.advance(1000);
  expect(pulling.status()).toMatchObject({ state: 'paused', underWay: 2, started: 2 });
  opened[0]?.open();
  await clock.advance(1000);
  expect(pulling.status()).toMatchObject({ started: 3, reported: 1 });
});

it('is refused before its task can reach an engine, and starts again after a stop', async () => {
  const task = doubling();
  const lost = new TaskPuller({
    name: 'lost',
    task,
    fetch: () => Promise.resolve([]),
    taskId: () => 'x',
    params: () => ({ id: 1 }),
  });
  expect(await rejection(lost.start())).toMatchObject({ code: 'TASK_NOT_CONNECTED' });
  const { clock, ledger, puller } = await world(1, task);
  const pulling = puller();
  await pulling.start();
  await pulling.start();
  await clock.advance(100);
  const stopped = pulling.stop();
  await Promise.resolve();
  expect(await rejection(pulling.start())).toMatchObject({ code: 'COMPONENT_STATE' });
  await clock.advance(0);
  await stopped;
  const fetches = ledger.limits.length;
  await clock.advance(60_000);
  expect(ledger.limits).toHaveLength(fetches);
  ledger.rows.push({ id: 8 });
  await pulling.start();
  await clock.advance(100);
  expect(ledger.reports).toEqual(['1 completed 2', '8 completed 16']);
});

it.each([
  [{ name: '' }, 'name is ""; expected a string'],
  [{ task: {} }, 'task is an object; expected an AsyncTask'],
  [{ fetch: undefined }, 'fetch is undefined; expected a function'],
  [{ report: 5 }, 'report is 5; expected a function'],
  [{ source: 'push' }, `source is "push"; expected 'list' or 'claim'`],
  [{ polling: { minIntervall: 1 } }, 'polling: minIntervall is no field of it'],
  [{ polling: { batchSize: 0 } }, 'polling.batchSize is 0; expected a whole number'],
  [
    { polling: { minInterval: '2s', maxInterval: '1s' } },
    'polling.maxInterval is 1000 ms, less than polling.minInterval',
  ],
  [{ polling: { backoffMultiplier: 0.5 } }, 'polling.backoffMultiplier is 0.5'],
  [{ backpressure: true }, 'backpressure is true; expected an object'],
  [{ backpressure: { maxBacklog: -1 } }, 'backpressure.maxBacklog is -1'],
  [{ callTimeout: 'soon' }, 'callTimeout is "soon"'],
  [{ reports: () => undefined }, 'the options: reports is no field of it'],
])('refuses %j, and says why', (change, problem) => {
  const options = {
    name: 'rows',
    task: doubling(),
    fetch: () => Promise.resolve([]),
    taskId: () => 'x',
    params: () => ({ id: 1 }),
    ...change,
  } as never;
  expect(() => new TaskPuller(options)).toThrow(
    expect.objectContaining({
      code: 'PULLER_OPTIONS_INVALID',
      message: expect.stringContaining(`TaskPuller: ${problem}`) as unknown,
    }),
  );
});
