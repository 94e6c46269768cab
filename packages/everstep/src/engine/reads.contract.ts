import { expect } from 'vitest';
import proto from '@temporalio/proto';
import { cancelStep, child, completeRun, failRun, step, timer } from '../../test/command-kit.ts';
import { payloadsOf } from '../../test/core-driver.ts';
import { decoded, durationOf, refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { StoreTap } from '../../test/store-tap.ts';
import { timestampOf } from '../core/time.ts';
import type { RunInfo } from './run-info.ts';

const { PendingActivityState, PendingWorkflowTaskState, WorkflowExecutionStatus } =
  proto.temporal.api.enums.v1;
const Status = {
  RUNNING: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
  FAILED: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED,
};
const namespace = 'default';

export function describeReads(scenario: Scenario): void {
  scenario('Describe shows the pending workflow task (MS-3)', async (host) => {
    await host.start('a');
    expect((await host.describe('a')).pendingWorkflowTask).toMatchObject({
      state: PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED,
      attempt: 1,
    });
    await host.failTask(await host.poll());
    await host.poll();
    expect((await host.describe('a')).pendingWorkflowTask).toMatchObject({
      state: PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED,
      attempt: 2,
    });
  });

  scenario('Describe shows pending activities as they go (MS-4)', async (host) => {
    await host.start('a');
    await host.turn([step('s', { retryPolicy: { maximumAttempts: 5 } }), child('kid')]);
    const pending = async () => (await host.describe('a')).pendingActivities?.[0];
    expect(await pending()).toMatchObject({
      activityId: 's',
      activityType: { name: 'Charge' },
      state: PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
      attempt: 1,
      maximumAttempts: 5,
    });
    const task = await host.pollStep();
    await host.heartbeat(task, 'half');
    const started = await pending();
    expect(started?.state).toBe(PendingActivityState.PENDING_ACTIVITY_STATE_STARTED);
    expect(started?.lastWorkerIdentity).toBe('worker');
    expect(started?.activityOptions).toMatchObject({
      taskQueue: { name: 'steps' },
      startToCloseTimeout: durationOf(10_000),
      retryPolicy: { maximumAttempts: 5 },
    });
    expect(decoded(started?.heartbeatDetails)).toBe('half');
    await host.failStep(task);
    expect(await pending()).toMatchObject({
      attempt: 2,
      state: PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
      currentRetryInterval: durationOf(1_000),
      lastFailure: { message: 'declined' },
    });
    expect((await host.describe('a')).pendingChildren).toHaveLength(1);
  });

  scenario('Describe shows an activity that was asked to stop (AC-13)', async (host) => {
    await host.start('a');
    await host.turn([step('s')]);
    await host.pollStep();
    await host.signal('a');
    await host.turn([cancelStep(5)]);
    expect((await host.describe('a')).pendingActivities?.[0]?.state).toBe(
      PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
    );
  });

  scenario('Describe shows when a run closed, and its memo (MS-2, MS-5)', async (host, world) => {
    await host.start('a', { memo: { fields: { note: payloadsOf('n').payloads?.[0] ?? {} } } });
    await host.turn([step('s'), timer('t', 1_000)]);
    await world.clock.advance(500);
    await host.terminate('a');
    const { workflowExecutionInfo: info } = await host.describe('a');
    expect(info?.closeTime).toEqual({
      seconds: expect.anything() as unknown,
      nanos: 500_000_000,
    });
    expect(Number(info?.historyLength)).toBe(7);
    expect(decoded({ payloads: [info?.memo?.fields?.['note'] ?? {}] })).toBe('n');
  });

  scenario(
    'A run that is not there is not found, and a bad id is refused (section 15)',
    async (host) => {
      await host.start('a');
      const unknown = '00000000-0000-4000-8000-ffffffffffff';
      expect((await refused(host.describe('b'))).code).toBe('NOT_FOUND');
      expect((await refused(host.describe('a', unknown))).code).toBe('NOT_FOUND');
      expect((await refused(host.describe('a', 'nonsense'))).code).toBe('INVALID_ARGUMENT');
      expect((await refused(host.describe(''))).code).toBe('INVALID_ARGUMENT');
    },
  );

  scenario('List finds runs by what they are (VS-1)', async (host, world) => {
    await crowd(host);
    await world.clock.settle();
    expect(await host.listed()).toEqual(['done', 'failed', 'parcel', 'running']);
    expect(await host.listed("WorkflowId = 'done'")).toEqual(['done']);
    expect(await host.listed("WorkflowType = 'Parcel'")).toEqual(['parcel']);
    expect(await host.listed("ExecutionStatus IN ('Completed', 'Failed')")).toEqual([
      'done',
      'failed',
    ]);
    expect(await host.listed("ExecutionStatus = 'Running' AND WorkflowType != 'Parcel'")).toEqual([
      'running',
    ]);
    expect(await host.listed("WorkflowId STARTS_WITH 'r' OR CloseTime IS NULL")).toEqual([
      'parcel',
      'running',
    ]);
    expect(await host.listed("NOT ExecutionStatus = 'Running'")).toEqual(['done', 'failed']);
    expect(await host.listed('HistoryLength > 2')).toEqual(['done', 'failed']);
  });

  scenario('List finds runs by their search attributes (VS-1)', async (host) => {
    const attribute = (value: unknown) => payloadsOf(value).payloads?.[0] ?? {};
    await host.register({ Customer: 'Keyword', Total: 'Int' });
    await host.start('a', {
      searchAttributes: { indexedFields: { Customer: attribute('acme'), Total: attribute(7) } },
    });
    await host.start('b', { searchAttributes: { indexedFields: { Customer: attribute('bolt') } } });
    expect(await host.listed("Customer = 'acme'")).toEqual(['a']);
    expect(await host.listed('Total BETWEEN 5 AND 9')).toEqual(['a']);
    expect(await host.listed("Customer != 'acme'")).toEqual(['b']);
    expect(await host.listed('Total IS NULL')).toEqual(['b']);
  });

  scenario('List pages through everything, newest first (VS-3)', async (host, world) => {
    for (let index = 0; index < 7; index += 1) {
      await host.start(`a${index}`);
      await world.clock.advance(10);
    }
    const ids: string[] = [];
    let nextPageToken: Uint8Array | null | undefined;
    do {
      const page = await host.list('', { pageSize: 3, nextPageToken: nextPageToken ?? null });
      ids.push(...(page.executions ?? []).map((info) => info.execution?.workflowId ?? ''));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken && nextPageToken.length > 0);
    expect(ids).toEqual(['a6', 'a5', 'a4', 'a3', 'a2', 'a1', 'a0']);
  });

  scenario('The lists before queries find open and closed runs (VS-1)', async (host, world) => {
    const { service } = host;
    const ids = ({ executions }: { executions?: RunInfo[] | null }): string[] =>
      (executions ?? []).map((info) => info.execution?.workflowId ?? '').sort();
    const open = async (request: object = {}) =>
      ids(await service.listOpenWorkflowExecutions({ namespace, ...request }));
    const closed = async (request: object = {}) =>
      ids(await service.listClosedWorkflowExecutions({ namespace, ...request }));
    await crowd(host);
    await host.start('paused');
    const [workflowId, identity, reason] = ['paused', 'me', 'why'];
    await service.pauseWorkflowExecution({ namespace, workflowId, identity, reason });
    expect(await open()).toEqual(['parcel', 'paused', 'running']);
    expect(await closed()).toEqual(['done', 'failed']);
    expect(await open({ typeFilter: { name: 'Parcel' } })).toEqual(['parcel']);
    expect(await open({ executionFilter: { workflowId: 'running' } })).toEqual(['running']);
    expect(await open({ executionFilter: { workflowId: 'done' } })).toEqual([]);
    expect(await closed({ executionFilter: { workflowId: 'done' } })).toEqual(['done']);
    expect(await closed({ statusFilter: { status: Status.FAILED } })).toEqual(['failed']);
    const scanned = await service.scanWorkflowExecutions({
      namespace,
      query: "WorkflowId = 'done'",
    });
    expect(ids(scanned)).toEqual(['done']);
    const between = timestampOf(world.clock.now + 500);
    await world.clock.advance(1_000);
    await host.start('late');
    await host.terminate('parcel');
    expect(await open({ startTimeFilter: { earliestTime: between } })).toEqual(['late']);
    expect(await open({ startTimeFilter: { latestTime: between } })).toEqual(['paused', 'running']);
    // Of closed runs it is the time of their close.
    expect(await closed({ startTimeFilter: { earliestTime: between } })).toEqual(['parcel']);
    expect(await closed({ startTimeFilter: { latestTime: between } })).toEqual(['done', 'failed']);
    const first = await service.listClosedWorkflowExecutions({ namespace, maximumPageSize: 2 });
    const nextPageToken = first.nextPageToken ?? null;
    expect([...ids(first), ...(await closed({ maximumPageSize: 9_999, nextPageToken }))]).toEqual([
      'failed',
      'parcel',
      'done',
    ]);
    const backwards = { earliestTime: between, latestTime: timestampOf(0) };
    for (const refusal of [
      open({ startTimeFilter: backwards }),
      closed({ startTimeFilter: backwards }),
      closed({ statusFilter: { status: Status.RUNNING } }),
      closed({ statusFilter: {} }),
      open({ nextPageToken: new Uint8Array([1]) }),
    ]) {
      expect((await refused(refusal)).code).toBe('INVALID_ARGUMENT');
    }
  });

  scenario('A query that makes no sense is refused with the place (VS-1)', async (host) => {
    for (const query of [
      'WorkflowId',
      "WorkflowId = 'a",
      "WorkflowId = 'a' AND",
      "ExecutionStatus = 'Sleeping'",
      "StartTime > 'yesterday'",
      "HistoryLength = 'many'",
      "(WorkflowId = 'a'",
      "WorkflowId = 'a' ORDER BY StartTime",
      'GROUP BY ExecutionStatus',
      '; DROP TABLE runs',
    ]) {
      const { code } = await refused(host.list(query));
      expect({ query, code }).toEqual({ query, code: 'INVALID_ARGUMENT' });
    }
    expect((await refused(host.list('', { pageSize: 5_000 }))).code).toBe('INVALID_ARGUMENT');
    expect((await refused(host.list('', { nextPageToken: new Uint8Array([1]) }))).code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  scenario('Count counts, and groups by status (VS-1)', async (host) => {
    await crowd(host);
    const count = (query: string) => host.service.countWorkflowExecutions({ namespace, query });
    expect(Number((await count('')).count)).toBe(4);
    const { groups } = await count('GROUP BY ExecutionStatus');
    const byStatus = Object.fromEntries(
      (groups ?? []).map((group) => [
        decoded({ payloads: group.groupValues ?? [] }),
        Number(group.count),
      ]),
    );
    expect(byStatus).toEqual({ Completed: 1, Failed: 1, Running: 2 });
    expect(Object.keys(byStatus)).toEqual(['Running', 'Completed', 'Failed']);
    expect((await refused(count('GROUP BY WorkflowType'))).code).toBe('INVALID_ARGUMENT');
  });

  scenario(
    'Describe of a task queue shows its pollers and its backlog (section 14)',
    async (host, world) => {
      const describeQueue = (one: Host, name: string) =>
        one.service.describeTaskQueue({
          namespace,
          taskQueue: { name },
          taskQueueType: 1,
          reportStats: true,
        });
      await host.start('a');
      await host.start('b');
      await world.clock.advance(5_000);
      const before = await describeQueue(host, 'orders');
      expect(before.pollers).toEqual([]);
      expect(Number(before.stats?.approximateBacklogCount)).toBe(2);
      expect(Number(before.stats?.approximateBacklogAge?.seconds)).toBe(5);
      await host.poll();
      expect((await describeQueue(host, 'orders')).pollers).toMatchObject([{ identity: 'worker' }]);
      const other = await world.host();
      await world.clock.advance(2_000);
      expect((await describeQueue(other, 'orders')).pollers).toHaveLength(1);
      expect((await refused(describeQueue(host, ''))).code).toBe('INVALID_ARGUMENT');
    },
  );

  scenario('Namespaces are apart (section 15)', async (host) => {
    const service = host.service;
    await service.registerNamespace({
      namespace: 'other',
      workflowExecutionRetentionPeriod: durationOf(7_200_000),
    });
    const again = service.registerNamespace({
      namespace: 'other',
      workflowExecutionRetentionPeriod: durationOf(7_200_000),
    });
    expect(await refused(again)).toMatchObject({
      code: 'ALREADY_EXISTS',
      detail: { kind: 'namespaceAlreadyExists' },
    });
    await host.start('a');
    await host.start('a', { namespace: 'other' });
    expect(await host.listed()).toEqual(['a']);
    const { namespaceInfo, config } = await service.describeNamespace({ namespace: 'other' });
    expect(namespaceInfo?.name).toBe('other');
    expect(config?.workflowExecutionRetentionTtl).toEqual(durationOf(7_200_000));
    const { namespaces } = await service.listNamespaces({});
    expect(namespaces?.map((one) => one.namespaceInfo?.name).sort()).toEqual(['default', 'other']);
    expect((await refused(service.describeNamespace({ namespace: 'none' }))).detail).toEqual({
      kind: 'namespaceNotFound',
      namespace: 'none',
    });
  });

  scenario('A namespace that another process made is found (section 15)', async (host, world) => {
    const other = await world.host();
    await host.service.registerNamespace({
      namespace: 'other',
      workflowExecutionRetentionPeriod: durationOf(7_200_000),
    });
    expect(await other.start('a', { namespace: 'other' })).not.toBe('');
  });

  scenario(
    'A run is found by its own namespace and workflow id alone, whoever else asks for it then (section 15)',
    async (first, world) => {
      await first.service.registerNamespace({
        namespace: 'other',
        workflowExecutionRetentionPeriod: durationOf(86_400_000),
      });
      for (const stranger of [
        { namespace: 'other', workflowId: 'a' },
        { namespace: 'default', workflowId: 'b' },
      ]) {
        const runId = await first.start('a');
        const { namespace, workflowId } = stranger;
        const askStranger = (host: Host) =>
          host.service.signalWorkflowExecution({
            namespace,
            workflowExecution: { workflowId, runId },
            signalName: 'go',
          });
        const early = await world.host();
        const [refusal] = await Promise.all([
          refused(askStranger(early)),
          early.signal('a', 'go', '', runId),
        ]);
        expect(refusal.code).toBe('NOT_FOUND');
        const late = await world.host();
        const [described, again] = await Promise.all([
          late.signal('a', 'go', '', runId),
          refused(askStranger(late)),
        ]);
        expect([described, again.code]).toEqual([{}, 'NOT_FOUND']);
        await first.terminate('a');
      }
    },
  );

  scenario(
    'A history that is deleted while it is read is not found (DL-1)',
    async (_host, world) => {
      const tap = new StoreTap();
      const first = await world.host();
      const runId = await first.start('a');
      const host = await world.host({ wrap: tap.wrap });
      tap.beforeRead = async () => {
        tap.beforeRead = undefined;
        await first.delete('a', runId);
      };
      const history = host.service.getWorkflowExecutionHistoryReverse({
        namespace: 'default',
        execution: { workflowId: 'a', runId },
      });
      expect((await refused(history)).code).toBe('NOT_FOUND');
    },
  );

  scenario('The service says what it can do (section 15)', async (host) => {
    const info = await host.service.getSystemInfo({});
    expect(info.capabilities).toMatchObject({ signalAndQueryHeader: true, upsertMemo: true });
    const cluster = await host.service.getClusterInfo({});
    expect(cluster.serverVersion).toBe(info.serverVersion);
    const { clusters } = await host.engine.operator.listClusters({});
    expect(clusters).toMatchObject([
      { clusterName: cluster.clusterName, clusterId: cluster.clusterId },
    ]);
  });
}

async function crowd(host: Host): Promise<void> {
  await host.start('done');
  await host.turn([completeRun()]);
  await host.start('failed');
  await host.turn([failRun()]);
  await host.start('running');
  await host.start('parcel', { workflowType: { name: 'Parcel' } });
}
