import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { describe, expect, it, vi } from 'vitest';
import { workflow } from '../../src/index.ts';
import { running, storeKinds } from './running-component.ts';

const report = workflow({ name: 'report' }, async (_ctx, title: string) => `${title} is done`);

async function clientOf(kind: (typeof storeKinds)[number]): Promise<Client> {
  const component = await running(kind, [report]);
  return component.getClient();
}

function daily(scheduleId: string, options: Partial<ScheduleOptions> = {}): ScheduleOptions {
  return {
    scheduleId,
    spec: { cronExpressions: ['0 9 * * MON-FRI'], timezone: 'Europe/Berlin' },
    action: {
      type: 'startWorkflow',
      workflowType: 'report',
      workflowId: `${scheduleId}-run`,
      taskQueue: 'async-tasks',
      args: ['Sales'],
    },
    ...options,
  };
}

describe.each(storeKinds)("the official client's schedules on %s", (kind) => {
  it('are created, described and listed', async () => {
    const client = await clientOf(kind);
    const handle = await client.schedule.create(
      daily('sales', { memo: { owner: 'me' }, state: { paused: true, note: 'not yet' } }),
    );
    const described = await handle.describe();
    expect(described).toMatchObject({
      scheduleId: 'sales',
      memo: { owner: 'me' },
      state: { paused: true, note: 'not yet' },
      policies: { overlap: 'SKIP', catchupWindow: 365 * 86_400_000 },
      action: { workflowType: 'report', workflowId: 'sales-run', args: ['Sales'] },
      spec: { timezone: 'Europe/Berlin', calendars: [{ hour: [{ start: 9, end: 9, step: 1 }] }] },
      info: { numActionsTaken: 0, runningActions: [] },
    });
    expect(described.info.nextActionTimes).toHaveLength(10);
    await client.schedule.create(daily('other'));
    const listed = [];
    for await (const summary of client.schedule.list()) listed.push(summary.scheduleId);
    expect(listed.toSorted()).toEqual(['other', 'sales']);
    await expect(client.schedule.create(daily('sales'))).rejects.toThrow(ScheduleAlreadyRunning);
  });

  it('start workflows at their times', async () => {
    const client = await clientOf(kind);
    const handle = await client.schedule.create(
      daily('often', { spec: { intervals: [{ every: '1s' }] } }),
    );
    await vi.waitFor(
      async () => {
        const { info } = await handle.describe();
        expect(info.numActionsTaken).toBeGreaterThan(1);
      },
      { timeout: 10_000 },
    );
    await handle.delete();
    const [first] = await runsOf(client, 'often');
    expect(first).toMatch(/^often-run-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await client.workflow.getHandle(first ?? '').result()).toBe('Sales is done');
  });

  it('are triggered, backfilled, paused and unpaused', async () => {
    const client = await clientOf(kind);
    const handle = await client.schedule.create(daily('sales'));
    await handle.pause('holidays');
    expect(await handle.describe()).toMatchObject({ state: { paused: true, note: 'holidays' } });
    await handle.trigger(ScheduleOverlapPolicy.ALLOW_ALL);
    await handle.backfill({
      start: new Date('2026-03-02T00:00:00Z'),
      end: new Date('2026-03-08T23:00:00Z'),
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
    });
    await vi.waitFor(async () => {
      expect((await handle.describe()).info.numActionsTaken).toBe(6);
    });
    const workflowIds = await runsOf(client, 'sales');
    expect(workflowIds.filter((id) => id.includes('2026-03-0'))).toEqual(
      [2, 3, 4, 5, 6].map((day) => `sales-run-2026-03-0${day}T08:00:00Z`),
    );
    await handle.unpause('back');
    expect(await handle.describe()).toMatchObject({ state: { paused: false, note: 'back' } });
  });

  it('are updated and deleted', async () => {
    const client = await clientOf(kind);
    const handle = await client.schedule.create(daily('sales'));
    await handle.update((previous) => ({
      ...previous,
      spec: { intervals: [{ every: '2h', offset: '5m' }] },
      policies: { ...previous.policies, overlap: ScheduleOverlapPolicy.BUFFER_ALL },
    }));
    expect(await handle.describe()).toMatchObject({
      spec: { intervals: [{ every: 7_200_000, offset: 300_000 }] },
      policies: { overlap: 'BUFFER_ALL' },
    });
    await handle.delete();
    await expect(handle.describe()).rejects.toThrow(ScheduleNotFoundError);
    await expect(handle.pause()).rejects.toThrow(ScheduleNotFoundError);
  });
});

async function runsOf(client: Client, scheduleId: string): Promise<string[]> {
  const ids: string[] = [];
  const query = `TemporalScheduledById = '${scheduleId}'`;
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids.toSorted();
}
