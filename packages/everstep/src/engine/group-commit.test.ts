import { expect, it } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { defaultLimits } from '../core/limits.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { Executor } from './executor.ts';
import { GroupCommit } from './group-commit.ts';
import { LiveRuns } from './live-runs.ts';
import { newUnit } from './unit.ts';
import type { LiveRun, RequestOutcome } from './unit.ts';

const ignore = (): void => undefined;

it('a unit that only read one of its runs holds only while that run is as it was read', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  const tap = new StoreTap();
  const groupCommit = new GroupCommit({
    store: tap.wrap(store),
    clock: clock.view(),
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    processId: 'p',
    retentionMs: () => 1,
    onWritten: ignore,
    onFailed: ignore,
    onUncertain: ignore,
  });
  const executor = new Executor({
    store,
    clock: clock.view(),
    random: { next: () => 0.5, uuid: () => 'u' },
    limits: defaultLimits,
    live: new LiveRuns(10),
    groupCommit,
  });
  const started = async (workflowId: string): Promise<LiveRun> => {
    const request = {
      workflowId,
      workflowType: { name: 'Order' },
      taskQueue: { name: 'orders' },
    };
    const input = {
      kind: 'start' as const,
      namespaceId: 'n',
      namespace: 'default',
      runId: `${workflowId}-run`,
      request,
    };
    const settle = ignore;
    const run = executor.startRun(input, null, newUnit(), { input, settle });
    await clock.settle();
    return run;
  };
  const [read, written] = [await started('read'), await started('written')];

  let outcome: RequestOutcome | undefined;
  const unit = newUnit();
  executor.openPart(read, unit);
  executor.applyIn(executor.openPart(written, unit), {
    input: { kind: 'terminate', reason: 'enough', identity: 'i' },
    settle: (settled) => (outcome = settled),
  });
  // Another process is first with the run that was read.
  const { results } = tap;
  tap.before = async () => {
    tap.before = undefined;
    const stored = await store.runs.loadByRef({ ref: read.ref ?? 0 });
    if (!stored) return;
    await store.commit([
      {
        writes: [{ ...stored, expectedVersion: stored.version, tasks: [], outbox: [], mail: [] }],
        doneTasks: [],
        doneOutbox: [],
        now: 1,
      },
    ]);
  };
  const lost: unknown[] = [];
  const redo = groupCommit.onLost;
  groupCommit.onLost = (unitLost, waiting) => {
    lost.push(unitLost);
    redo?.(unitLost, waiting);
  };
  await clock.settle();
  expect(results).toHaveLength(1);
  expect(lost).toEqual([unit]);
  // What was asked of the other run is done again by itself.
  expect(outcome).toMatchObject({ ok: true });
  expect(tap.results).toMatchObject([{ outcome: 'committed' }]);
  expect(written.dropped).toBe(true);
});
