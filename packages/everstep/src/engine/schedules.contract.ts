import { expect } from 'vitest';
import { completeRun } from '../../test/command-kit.ts';
import { refused } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { Schedules, every, scheduleOf } from '../../test/schedule-kit.ts';
import { msOfTimestamp } from '../core/time.ts';

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
}
