import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { cancelRun, completeRun, continueAsNew, failRun } from '../../test/command-kit.ts';
import { payloadsOf } from '../../test/core-driver.ts';
import { decoded, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import { StoreTap } from '../../test/store-tap.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { Schedules, every, scheduleOf } from '../../test/schedule-kit.ts';
import { durationOf, longOf, msOfTimestamp, timestampOf } from '../core/time.ts';

const { ScheduleOverlapPolicy: Overlap } = proto.temporal.api.enums.v1;

const second = 1_000;

/** The world's clock begins at 2023-11-14T22:13:20Z, which is a multiple of 20 seconds. */
export function describeSchedules(scenario: Scenario): void {
  scenario(
    'An interval starts a workflow at each of its times (SC-1, SC-5)',
    async (host, world) => {
      const schedules = new Schedules(host);
      await schedules.create('s', scheduleOf(every(20 * second)));
      expect(await host.listed()).toEqual([]);
      await world.clock.advance(20 * second);
      expect(await host.listed()).toEqual(['order-2023-11-14T22:13:40Z']);
      const event = await host.event('order-2023-11-14T22:13:40Z', 'WorkflowExecutionStarted');
      expect(event.workflowExecutionStartedEventAttributes?.identity).toBe(
        'temporal-scheduler-default-s',
      );
      await host.turn([completeRun()]);
      await world.clock.advance(20 * second);
      expect(await host.listed()).toEqual([
        'order-2023-11-14T22:13:40Z',
        'order-2023-11-14T22:14:00Z',
      ]);
      const { info, conflictToken } = await schedules.describe('s');
      expect(Number(info?.actionCount)).toBe(2);
      expect(info?.runningWorkflows).toMatchObject([{ workflowId: 'order-2023-11-14T22:14:00Z' }]);
      expect(info?.recentActions).toMatchObject([
        { startWorkflowStatus: 2 },
        { startWorkflowStatus: 1 },
      ]);
      expect(msOfTimestamp(info?.futureActionTimes?.[0])).toBe(world.clock.now + 20 * second);
      expect(info?.futureActionTimes).toHaveLength(10);
      expect(conflictToken).toEqual(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]));
    },
  );

  scenario('A schedule is created once, and its id is free after its end', async (host, world) => {
    const schedules = new Schedules(host);
    const first = await schedules.create('s', scheduleOf(every(second)), { requestId: 'r' });
    expect(await schedules.create('s', scheduleOf(every(second)), { requestId: 'r' })).toEqual(
      first,
    );
    const taken = await refused(schedules.create('s', scheduleOf(every(second))));
    expect(taken.code).toBe('ALREADY_EXISTS');
    await schedules.delete('s');
    expect((await refused(schedules.describe('s'))).code).toBe('NOT_FOUND');
    expect((await refused(schedules.delete('s'))).code).toBe('NOT_FOUND');
    await world.clock.advance(5 * second);
    expect(await host.listed()).toEqual([]);
    await schedules.create('s', scheduleOf(every(second)));
    await world.clock.advance(second);
    expect(await schedules.listed()).toEqual(['s']);
    expect(await host.listed()).toHaveLength(1);
  });

  scenario(
    'What a started run carries names its schedule and its time (SC-1)',
    async (host, world) => {
      const schedules = new Schedules(host);
      await schedules.create('s', scheduleOf(every(20 * second)));
      await host.start('other');
      await world.clock.advance(20 * second);
      expect(await host.listed("TemporalScheduledById = 's'")).toEqual([
        'order-2023-11-14T22:13:40Z',
      ]);
      const { workflowExecutionInfo } = await host.describe('order-2023-11-14T22:13:40Z');
      const attributes = workflowExecutionInfo?.searchAttributes?.indexedFields ?? {};
      const started = attributes['TemporalScheduledStartTime'];
      expect(decoded({ payloads: [started ?? {}] })).toBe('2023-11-14T22:13:40Z');
    },
  );

  scenario('While a run is open the next times are skipped (SC-2)', async (host, world) => {
    const schedules = new Schedules(host);
    await schedules.create('s', scheduleOf(every(20 * second)));
    await world.clock.advance(60 * second);
    expect(await schedules.numbers('s')).toMatchObject({ actions: 1, skipped: 2, running: 1 });
    await host.turn([completeRun()]);
    expect(await schedules.numbers('s')).toMatchObject({ actions: 1, skipped: 2, running: 0 });
    await world.clock.advance(20 * second);
    expect(await schedules.numbers('s')).toMatchObject({ actions: 2, skipped: 2, running: 1 });
  });

  scenario('One time or all of them wait for the open run to end (SC-2)', async (host, world) => {
    const schedules = new Schedules(host);
    const policy = (overlapPolicy: number) =>
      scheduleOf(every(20 * second), { policies: { overlapPolicy } });
    await schedules.create('one', policy(Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE));
    await world.clock.advance(60 * second);
    expect(await schedules.numbers('one')).toMatchObject({ actions: 1, skipped: 1, buffered: 1 });
    await host.turn([completeRun()]);
    expect(await schedules.numbers('one')).toMatchObject({ actions: 2, skipped: 1, buffered: 0 });
    expect(await host.listed("ExecutionStatus = 'Running'")).toEqual([
      'order-2023-11-14T22:14:00Z',
    ]);
    await schedules.delete('one');
    await host.terminate('order-2023-11-14T22:14:00Z');
    await schedules.create('all', policy(Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL));
    await world.clock.advance(60 * second);
    expect(await schedules.numbers('all')).toMatchObject({ actions: 1, skipped: 0, buffered: 2 });
    await host.turn([completeRun()]);
    await host.turn([completeRun()]);
    expect(await schedules.numbers('all')).toMatchObject({ actions: 3, skipped: 0, buffered: 0 });
  });

  scenario('The open run is cancelled or terminated for the next (SC-2)', async (host, world) => {
    const schedules = new Schedules(host);
    const policy = (overlapPolicy: number) =>
      scheduleOf(every(20 * second), { policies: { overlapPolicy } });
    await schedules.create('s', policy(Overlap.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER));
    await world.clock.advance(60 * second);
    const first = 'order-2023-11-14T22:13:40Z';
    const requests = (await host.names(first)).filter((name) => name.includes('CancelRequested'));
    expect(requests).toHaveLength(1);
    expect(await schedules.numbers('s')).toMatchObject({ actions: 1, buffered: 2 });
    await host.turn([cancelRun()]);
    // Of the two that waited the later takes the place of the earlier.
    expect(await schedules.numbers('s')).toMatchObject({ actions: 2, skipped: 1, buffered: 0 });
    expect(await host.status('order-2023-11-14T22:14:20Z')).toBe('RUNNING');
    await schedules.update('s', () => policy(Overlap.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER));
    await world.clock.advance(20 * second);
    expect(await host.status('order-2023-11-14T22:14:20Z')).toBe('TERMINATED');
    expect(await host.status('order-2023-11-14T22:14:40Z')).toBe('RUNNING');
  });

  scenario(
    'With every overlap allowed runs are started beside each other (SC-2)',
    async (host, world) => {
      const schedules = new Schedules(host);
      const policies = { overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL };
      await schedules.create('s', scheduleOf(every(20 * second), { policies }));
      await world.clock.advance(60 * second);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 3, skipped: 0, buffered: 0 });
      expect(await host.listed("ExecutionStatus = 'Running'")).toHaveLength(3);
    },
  );

  scenario(
    'Times that a process slept through are caught up within the window (SC-3)',
    async (host, world) => {
      const schedules = new Schedules(host);
      const policies = {
        overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
        catchupWindow: durationOf(60 * second),
      };
      await schedules.create('s', scheduleOf(every(20 * second), { policies }));
      await world.clock.sleep(200 * second);
      await world.clock.advance(0);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 4, missed: 6 });
    },
  );

  scenario(
    'A thousand times at once are worked off in parts, each once (SC-3)',
    async (host, world) => {
      const schedules = new Schedules(host);
      const policies = { overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL };
      await schedules.create('s', scheduleOf(every(second), { policies }));
      await world.clock.sleep(350 * second);
      await world.clock.advance(0);
      const { actions, missed, skipped } = await schedules.numbers('s');
      expect({ actions, missed, skipped }).toEqual({ actions: 350, missed: 0, skipped: 0 });
      expect(await host.list('', { pageSize: 1_000 }).then((page) => page.executions?.length)).toBe(
        350,
      );
    },
  );

  scenario(
    'A failed chain pauses its schedule, with a note; a trigger ignores that (SC-6)',
    async (host, world) => {
      const schedules = new Schedules(host);
      const policies = { pauseOnFailure: true };
      await schedules.create('s', scheduleOf(every(20 * second), { policies }));
      await world.clock.advance(20 * second);
      await host.turn([failRun('no stock')]);
      const { schedule } = await schedules.describe('s');
      expect(schedule?.state).toMatchObject({
        paused: true,
        notes: 'paused due to workflow failure: order-2023-11-14T22:13:40Z: no stock',
      });
      await world.clock.advance(60 * second);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 1 });
      expect(await schedules.listed('TemporalSchedulePaused = true')).toEqual(['s']);
      await schedules.patch('s', { triggerImmediately: {} });
      await world.clock.settle();
      expect(await schedules.numbers('s')).toMatchObject({ actions: 2, running: 1 });
      const started = await host.event('order-2023-11-14T22:14:40Z', 'WorkflowExecutionStarted');
      const attributes = started.workflowExecutionStartedEventAttributes;
      expect(attributes?.continuedFailure?.message).toBe('no stock');
      await host.turn([completeRun()]);
      await schedules.patch('s', { unpause: 'again' });
      expect(await schedules.listed('TemporalSchedulePaused = true')).toEqual([]);
      // What passed while it was paused stays undone.
      await world.clock.settle();
      expect(await schedules.numbers('s')).toMatchObject({ actions: 2, missed: 0, skipped: 0 });
      await world.clock.advance(20 * second);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 3 });
    },
  );

  scenario(
    'A result is handed to the next run, through a continue-as-new too (SC-1)',
    async (host, world) => {
      const schedules = new Schedules(host);
      await schedules.create('s', scheduleOf(every(20 * second)));
      await world.clock.advance(20 * second);
      await host.turn([continueAsNew()]);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 1, running: 1 });
      await host.turn([completeRun('first')]);
      expect(await schedules.numbers('s')).toMatchObject({ running: 0 });
      await world.clock.advance(20 * second);
      const event = await host.event('order-2023-11-14T22:14:00Z', 'WorkflowExecutionStarted');
      const attributes = event.workflowExecutionStartedEventAttributes;
      expect(decoded(attributes?.lastCompletionResult)).toBe('first');
    },
  );

  scenario(
    'Remaining actions count down to none; a trigger uses none up (SC-6)',
    async (host, world) => {
      const schedules = new Schedules(host);
      const state = { limitedActions: true, remainingActions: longOf(2) };
      const policies = { overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL };
      await schedules.create('s', scheduleOf(every(20 * second), { state, policies }));
      await schedules.patch('s', { triggerImmediately: {} });
      await world.clock.advance(10 * 20 * second);
      const described = await schedules.describe('s');
      expect(Number(described.schedule?.state?.remainingActions)).toBe(0);
      expect(described.info?.futureActionTimes).toEqual([]);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 3 });
    },
  );

  scenario(
    'A backfill takes the times of its range, with its own overlap policy (SC-7)',
    async (host, world) => {
      const schedules = new Schedules(host);
      const day = 86_400 * second;
      await schedules.create('s', scheduleOf(every(day), { state: { paused: true } }));
      const midnight = Date.parse('2023-11-01T00:00:00Z');
      await schedules.backfill(
        's',
        midnight,
        midnight + 4 * day,
        Overlap.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
      );
      await world.clock.settle();
      expect(await schedules.numbers('s')).toMatchObject({ actions: 1, buffered: 4, running: 1 });
      for (let turns = 0; turns < 5; turns += 1) await host.turn([completeRun()]);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 5, buffered: 0, running: 0 });
      expect(await host.listed()).toEqual(
        [1, 2, 3, 4, 5].map((date) => `order-2023-11-0${date}T00:00:00Z`),
      );
      // The same range again: runs that have ended are followed by others, open ones are left alone.
      await schedules.backfill(
        's',
        midnight,
        midnight + day,
        Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
      );
      await world.clock.settle();
      expect(await host.listed()).toHaveLength(7);
      const { actions, skipped } = await schedules.numbers('s');
      await schedules.backfill('s', midnight, midnight, Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
      await world.clock.settle();
      expect(await host.listed()).toHaveLength(7);
      expect(await schedules.numbers('s')).toMatchObject({ actions, skipped: skipped + 1 });
    },
  );

  scenario('A backfill of more than the buffer holds drops nothing (SC-7)', async (host, world) => {
    const schedules = new Schedules(host);
    await schedules.create('s', scheduleOf(every(second), { state: { paused: true } }));
    await schedules.backfill(
      's',
      world.clock.now - 1_099 * second,
      world.clock.now,
      Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
    );
    await world.clock.advance(0);
    expect(await schedules.numbers('s')).toMatchObject({ actions: 1_100, buffered: 0 });
    const { info } = await schedules.describe('s');
    expect(Number(info?.bufferDropped)).toBe(0);
  });

  scenario('An update with an old conflict token is refused (SC-7)', async (host, world) => {
    const schedules = new Schedules(host);
    await schedules.create('s', scheduleOf(every(20 * second)));
    const { conflictToken } = await schedules.describe('s');
    const token = conflictToken ?? new Uint8Array();
    await schedules.patch('s', { pause: 'for now' });
    const late = await refused(schedules.update('s', (schedule) => schedule, token));
    expect(late).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: 'mismatched conflict token',
    });
    await schedules.update('s', (schedule) => ({
      ...schedule,
      state: {},
      spec: every(7 * second),
    }));
    const { info, schedule } = await schedules.describe('s');
    expect(schedule?.state?.paused).toBeFalsy();
    expect(msOfTimestamp(info?.updateTime)).toBe(world.clock.now);
    await world.clock.advance(7 * second);
    expect(await schedules.numbers('s')).toMatchObject({ actions: 1 });
  });

  scenario('A repeated patch has its effect once', async (host, world) => {
    const schedules = new Schedules(host);
    const policies = { overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL };
    await schedules.create('s', scheduleOf(every(3_600 * second), { policies }));
    await schedules.patch('s', { triggerImmediately: {} }, 'r');
    await world.clock.advance(2 * second);
    await schedules.patch('s', { triggerImmediately: {} }, 'r');
    await world.clock.settle();
    expect(await schedules.numbers('s')).toMatchObject({ actions: 1 });
  });

  scenario('Matching times are those of the spec in the range (SC-5)', async (host, world) => {
    const schedules = new Schedules(host);
    await schedules.create('s', scheduleOf({ cronString: ['0 12 * * 1'] }));
    const { startTime } = await host.service.listScheduleMatchingTimes({
      namespace: 'default',
      scheduleId: 's',
      startTime: timestampOf(world.clock.now),
      endTime: timestampOf(world.clock.now + 15 * 86_400 * second),
    });
    expect((startTime ?? []).map(msOfTimestamp)).toEqual([
      Date.parse('2023-11-20T12:00:00Z'),
      Date.parse('2023-11-27T12:00:00Z'),
    ]);
  });

  scenario('Schedules and workflows are listed and counted apart', async (host, world) => {
    await host.register({ Team: 'Keyword' });
    const schedules = new Schedules(host);
    await schedules.create('a', scheduleOf(every(20 * second)), {
      memo: { fields: { owner: payloadsOf('me').payloads?.[0] ?? {} } },
      searchAttributes: { indexedFields: { Team: payloadsOf('red').payloads?.[0] ?? {} } },
    });
    await schedules.create(
      'b',
      scheduleOf({ cronString: ['@daily'] }, { state: { paused: true } }),
    );
    await host.start('a');
    await world.clock.advance(20 * second);
    expect(await schedules.listed()).toEqual(['a', 'b']);
    expect(await schedules.listed("ScheduleId = 'b'")).toEqual(['b']);
    expect(await schedules.listed("Team = 'red'")).toEqual(['a']);
    expect(await schedules.count('TemporalSchedulePaused = true')).toBe(1);
    expect(await schedules.count()).toBe(2);
    // As Temporal's UI asks.
    const division = "TemporalNamespaceDivision = 'TemporalScheduler'";
    for (const query of [division, `${division} AND ExecutionStatus = 'Running'`]) {
      const counted = await host.service.countWorkflowExecutions({ namespace: 'default', query });
      expect(Number(counted.count)).toBe(2);
    }
    expect(await host.listed()).toEqual(['a', 'order-2023-11-14T22:13:40Z']);
    const described = await schedules.describe('a');
    expect(Object.keys(described.searchAttributes?.indexedFields ?? {})).toEqual(['Team']);
    expect((await schedules.describe('b')).searchAttributes).toBeNull();
    const page = await host.service.listSchedules({ namespace: 'default', maximumPageSize: 1 });
    const rest = await host.service.listSchedules({
      namespace: 'default',
      nextPageToken: page.nextPageToken ?? new Uint8Array(),
    });
    expect([...(page.schedules ?? []), ...(rest.schedules ?? [])]).toMatchObject([
      { scheduleId: 'b', info: { paused: true, workflowType: { name: 'Order' } } },
      { scheduleId: 'a', info: { paused: false, recentActions: [{}] } },
    ]);
  });

  scenario('What cannot be a schedule is refused, and says why', async (host) => {
    const schedules = new Schedules(host);
    const good = scheduleOf(every(second));
    const problem = async (scheduleId: string, schedule: object) => {
      const { code, message } = await refused(schedules.create(scheduleId, schedule));
      expect(code).toBe('INVALID_ARGUMENT');
      return message;
    };
    expect(await problem('', good)).toContain('schedule_id');
    expect(await problem('s', scheduleOf({ cronString: ['* * *'] }))).toBe(
      'Invalid schedule spec: CronString does not have 5-7 fields',
    );
    expect(await problem('s', { spec: {} })).toContain('start_workflow');
    expect(await problem('s', { ...good, action: { startWorkflow: {} } })).toBe(
      'WorkflowId is not set on request.',
    );
    const { startWorkflow } = good.action ?? {};
    const cron = { startWorkflow: { ...startWorkflow, cronSchedule: '* * * * *' } };
    expect(await problem('s', { ...good, action: cron })).toContain('CronSchedule');
    await schedules.create('s', good);
    const patch = await refused(schedules.patch('s', { backfillRequest: [{}] }));
    expect(patch.message).toContain('start_time and end_time');
  });

  for (const written of [1, 2]) {
    scenario(
      `An action is taken once when its process dies after ${written} of its commits (SC-1)`,
      async (host, world) => {
        const tap = new StoreTap();
        const dying = await world.host({ wrap: tap.wrap });
        await new Schedules(host).create('s', scheduleOf(every(3_600 * second)));
        let commits = 0;
        tap.before = () => {
          commits += 1;
          // The schedule's decision, the workflow's start; and the schedule is never told.
          return commits <= written ? undefined : new Promise(() => undefined);
        };
        await new Schedules(dying).patch('s', { triggerImmediately: {} });
        await world.clock.settle();
        await dying.vanish();
        expect(await host.listed()).toHaveLength(written - 1);
        // In the second case the chain may even go on and end before anybody asks.
        if (written === 2) {
          await host.turn([continueAsNew()]);
          await host.turn([completeRun()]);
        }
        await world.clock.advance(20 * second);
        expect(await host.listed()).toHaveLength(written === 2 ? 2 : 1);
        expect(await new Schedules(host).numbers('s')).toMatchObject({
          actions: 1,
          skipped: 0,
          running: 2 - written,
        });
      },
    );
  }

  scenario(
    'An action whose run has ended is not taken again when another action has its workflow id (SC-1)',
    async (host, world) => {
      const dyingAfter = async (commits: number): Promise<Host> => {
        const tap = new StoreTap();
        tap.before = () => (tap.commits < commits ? undefined : new Promise(() => undefined));
        return world.host({ wrap: tap.wrap });
      };
      const schedules = new Schedules(host);
      const day = 86_400 * second;
      await schedules.create('s', scheduleOf(every(day), { state: { paused: true } }));
      const midnight = Date.parse('2023-11-01T00:00:00Z');
      const all = Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;
      // The schedule's decision, the workflow's start; and the schedule is never told.
      const starting = await dyingAfter(2);
      await new Schedules(starting).backfill('s', midnight, midnight, all);
      await world.clock.settle();
      await starting.vanish();
      expect(await host.listed()).toHaveLength(1);
      const ending = await dyingAfter(2);
      await ending.turn([completeRun()]);
      await ending.vanish();
      await schedules.backfill('s', midnight, midnight, all);
      await world.clock.settle();
      await host.turn([completeRun()]);
      await world.clock.advance(20 * second);
      expect(await host.listed()).toHaveLength(2);
      expect(await schedules.numbers('s')).toMatchObject({ actions: 2, skipped: 0, running: 0 });
    },
  );

  scenario(
    'Many processes on one store start each time once (invariant 21)',
    async (host, world) => {
      const others = [await world.host(), await world.host()];
      const schedules = new Schedules(host);
      const policies = { overlapPolicy: Overlap.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL };
      await schedules.create('s', scheduleOf(every(second), { policies }));
      await world.clock.advance(30 * second);
      expect(others).toHaveLength(2);
      const { actions, skipped, missed, buffered } = await schedules.numbers('s');
      expect({ actions, skipped, missed, buffered }).toEqual({
        actions: 30,
        skipped: 0,
        missed: 0,
        buffered: 0,
      });
      expect(await host.listed()).toHaveLength(30);
    },
  );
}
