/** The simulator's programs in real time, with clients and a worker that leaves, wherever tasks may live. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../src/core/proto.ts';
import type { AsyncTaskComponentOptions } from '../../src/index.ts';
import { MemoryData } from '../../src/store/memory/memory-data.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';
import { replay } from '../../src/testing/replay.ts';
import { Chance } from '../chance.ts';
import { makeContextWorkflow } from '../simulation/context-program.ts';
import {
  makeTasks,
  type Seen,
  type StepWorld,
  type TaskNode,
} from '../simulation/task-programs.ts';
import { checkHistory, ProgramRun } from './program-run.ts';
import { places, running, serverAddress, storeUrl, type Place } from './running-component.ts';
import { StepLog } from './step-log.ts';

const seeds = Array.from({ length: 30 }, (_, index) => index + 1);
/** A sleep of six seconds takes 60 ms. The times that steps may take at most stay as they are. */
const scale = 0.01;
/** So many calls of steps come before the one worker leaves. */
const leavesAfter = 25;

const itemsOf = (world: StepWorld) => [...makeTasks(world), makeContextWorkflow(world)];

/** Where two components live together. */
async function homeOf(place: Place): Promise<() => AsyncTaskComponentOptions> {
  if (place === 'a server') {
    const temporalAddress = await serverAddress();
    return () => ({ temporalAddress });
  }
  if (place === 'memory') {
    const data = new MemoryData();
    return () => ({ store: new MemoryStore({ data }) });
  }
  const store = await storeUrl(place);
  return () => ({ store });
}

describe.each(places)('random programs on %s', (place) => {
  it('see what their histories say, whatever clients and workers do', async ({ signal }) => {
    const home = await homeOf(place);
    const log = new StepLog(scale);
    const leaving = await running(place, itemsOf(log.worldOf('leaving')), home());
    const staying = await running(place, itemsOf(log.worldOf('staying')), home());
    // A server learns only by time-outs of what is left behind: steps may end, and what was on its way to a worker
    // that leaves is waited for where a server is under test.
    const gracePeriod = place === 'a server' ? 5_000 : 0;
    const client = staying.getClient();
    const items = itemsOf(log.worldOf('replaying'));
    const leaves = place !== 'a server' || process.env['EVERSTEP_TEST_SERVER'] !== undefined;
    const left = leaves && log.reached(leavesAfter).then(() => leaving.stop({ gracePeriod }));
    const name = randomUUID();
    const runs = seeds.map((seed) => {
      const clients = (): Client =>
        seed % 2 === 0 && leaving.isStarted() ? leaving.getClient() : client;
      return new ProgramRun(`${name}-${seed}`, new Chance(seed), clients, signal);
    });
    await Promise.all(runs.map((run) => run.live(client)));
    await left;
    const unused: string[] = [];
    for (const run of runs) {
      const events = await run.check(log);
      const item = items.find(({ workflowType }) => workflowType === run.type);
      if (!item) throw new TypeError(`There is no ${run.type}`);
      const { differences } = await replay(item, { events: [...events] });
      for (const { kind, message } of differences) {
        if (kind === 'unused') unused.push(`${run.workflowId}: ${message}`);
      }
    }
    expect(unused).toEqual([]);
    expect(runs.flatMap(({ problems }) => problems)).toEqual([]);
  }, 60_000);
});

const { History } = proto.temporal.api.history.v1;

/** Its result as it is, or as it was changed. */
function resultOf(events: readonly HistoryEvent[], change: (seen: Seen[]) => void): void {
  const payload = events.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0];
  if (!payload) throw new TypeError('The history has no result');
  const seen = JSON.parse(Buffer.from(payload.data ?? []).toString()) as Seen[];
  change(seen);
  payload.data = Buffer.from(JSON.stringify(seen));
}

describe('what a history is held against', () => {
  const stepOf = (key: string): TaskNode => {
    const node = { op: 'step', key, ms: 0, fails: 0, retries: 0, timeoutMs: 15_000 } as const;
    return { ...node, beats: false, shielded: false };
  };
  const sleepOf = (key: string, ms: number): TaskNode => ({ op: 'sleep', key, ms });
  const program: TaskNode = {
    op: 'seq',
    nodes: [
      stepOf('k1'),
      { op: 'race', nodes: [sleepOf('k2', 60_000), sleepOf('k3', 1)] },
      { op: 'signal', name: 'go' },
      { op: 'all', nodes: [stepOf('k4'), stepOf('k5')] },
    ],
  };

  async function recorded() {
    const log = new StepLog(scale);
    const items = itemsOf(log.worldOf('here'));
    const many = items.find((item) => item.getName() === 'many');
    const component = await running('memory', items);
    const taskId = randomUUID();
    const handle = await component.getClient().workflow.start(many?.workflowType ?? '', {
      workflowId: taskId,
      taskQueue: 'async-tasks',
      args: [{ program }],
    });
    await handle.signal('go', 'signal-1');
    const result = (await handle.result()) as Seen[];
    const history = await handle.fetchHistory();
    const check = (change: (events: HistoryEvent[]) => void = () => undefined): string[] => {
      // A copy with the methods of its messages.
      const { events } = History.decode(History.encode(history).finish());
      change(events);
      const problems: string[] = [];
      const complain = (what: string): number => problems.push(what);
      checkHistory(events, complain);
      log.check(taskId, events, complain);
      return problems;
    };
    return { check, result, log, taskId };
  }

  it('tells what differs', async () => {
    const { check, result, log, taskId } = await recorded();
    expect(result.map(([what]) => what)).toEqual(['k1', 'k3', 'race', 'signal go', 'k4', 'k5']);
    expect(check()).toEqual([]);
    const changed = (at: number, seen: Seen): string[] =>
      check((events) => resultOf(events, (all) => all.splice(at, 1, seen)));
    expect(changed(0, ['k1', 'step-99'])).toEqual([
      'invariant 22: number 1 of what it saw is k1 = step-99, its history says k1 = step-1',
    ]);
    expect(changed(2, ['race', '0'])).toEqual([
      'invariant 22: number 3 of what it saw is race = 0, its history says race = 1',
    ]);
    expect(changed(3, ['signal go', 'signal-2'])).toEqual([
      'invariant 22: number 4 of what it saw is signal go = signal-2, its history says signal go = signal-1',
    ]);
    const swapped = check((events) => resultOf(events, (all) => all.push(...all.splice(4, 1))));
    expect(swapped).toEqual([expect.stringMatching(/number 5 of what it saw is k5 = step-\d/)]);
    const again = check((events) => {
      for (const { activityTaskScheduledEventAttributes: scheduled } of events) {
        if (scheduled?.activityId === 'k5') scheduled.activityId = 'k1';
      }
    });
    expect(again).toContainEqual(
      expect.stringMatching(/invariant 22: event \d+ schedules k1 again/),
    );
    const lost = check((events) => void events.splice(2, 1));
    expect(lost).toContainEqual('invariant 1: event 3 has id 4');
    log.worldOf('here').ran('k1', 1, taskId);
    expect(check()).toEqual([`${taskId} k1 ran here 1, here 1`]);
  });
});
