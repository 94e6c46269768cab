/** Workers that say how they are, and what is known of the queues they poll. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { expect } from 'vitest';
import { refused } from '../../test/engine-host.ts';
import type { Host } from '../../test/engine-host.ts';
import type { Scenario } from '../../test/engine-world.ts';
import { step } from '../../test/command-kit.ts';
import { timestampOf } from '../core/time.ts';

const {
  BuildIdTaskReachability,
  DescribeTaskQueueMode,
  TaskQueueKind,
  TaskQueueType,
  WorkerStatus,
} = proto.temporal.api.enums.v1;
type Heartbeat = temporal.api.worker.v1.IWorkerHeartbeat;
const namespace = 'default';

function beat(host: Host, workerInstanceKey: string, more: Heartbeat = {}) {
  return host.service.recordWorkerHeartbeat({
    namespace,
    workerHeartbeat: [
      {
        workerInstanceKey,
        workerIdentity: `${workerInstanceKey}@here`,
        taskQueue: 'orders',
        status: WorkerStatus.WORKER_STATUS_RUNNING,
        startTime: timestampOf(Date.parse('2026-01-01T00:00:00Z')),
        hostInfo: { hostName: 'here', processId: '7' },
        sdkName: 'temporal-typescript',
        ...more,
      },
    ],
  });
}

async function listed(host: Host, query = ''): Promise<string[]> {
  const { workers } = await host.service.listWorkers({ namespace, query });
  return (workers ?? []).map(({ workerInstanceKey }) => workerInstanceKey ?? '');
}

export function describeWorkers(scenario: Scenario): void {
  scenario('Workers are listed, counted and described by their heartbeats', async (host) => {
    await beat(host, 'b');
    await beat(host, 'a', { taskQueue: 'parcels', currentStickyCacheSize: 4 });
    const { workers, workersInfo } = await host.service.listWorkers({ namespace });
    expect(workers).toMatchObject([
      { workerInstanceKey: 'a', hostName: 'here', processId: '7', taskQueue: 'parcels' },
      { workerInstanceKey: 'b', workerIdentity: 'b@here', taskQueue: 'orders' },
    ]);
    expect(workersInfo).toHaveLength(2);
    await beat(host, 'a', { currentStickyCacheSize: 5 });
    const { workerInfo } = await host.service.describeWorker({
      namespace,
      workerInstanceKey: 'a',
    });
    expect(workerInfo?.workerHeartbeat?.currentStickyCacheSize).toBe(5);
    const { count } = await host.service.countWorkers({ namespace, query: "TaskQueue = 'orders'" });
    expect(Number(count)).toBe(2);
    const unknown = host.service.describeWorker({ namespace, workerInstanceKey: 'c' });
    expect((await refused(unknown)).code).toBe('NOT_FOUND');
  });

  scenario('Workers are found by what they say, page by page', async (host) => {
    for (const key of ['a', 'b', 'c']) await beat(host, key, { taskQueue: `q-${key}` });
    await beat(host, 'd', { status: WorkerStatus.WORKER_STATUS_SHUTTING_DOWN });
    expect(await listed(host, "TaskQueue IN ('q-a', 'q-c')")).toEqual(['a', 'c']);
    expect(await listed(host, "Status = 'ShuttingDown' OR WorkerInstanceKey = 'a'")).toEqual([
      'a',
      'd',
    ]);
    expect(await listed(host, "HostName = 'here' AND NOT TaskQueue STARTS_WITH 'q-'")).toEqual([
      'd',
    ]);
    expect(await listed(host, "StartTime > '2026-01-01T00:00:00Z'")).toEqual([]);
    expect(await listed(host, "StartTime <= '2026-01-01T00:00:00Z' AND BuildId IS NULL")).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    const first = await host.service.listWorkers({ namespace, pageSize: 3 });
    expect(first.workers).toHaveLength(3);
    const rest = await host.service.listWorkers({
      namespace,
      pageSize: 3,
      nextPageToken: first.nextPageToken ?? null,
    });
    expect(rest.workers?.map(({ workerInstanceKey }) => workerInstanceKey)).toEqual(['d']);
    for (const request of [
      { query: "Colour = 'red'" },
      { query: "StartTime > 'soon'" },
      { nextPageToken: new Uint8Array([1]) },
      { pageSize: -1 },
    ]) {
      const refusal = await refused(host.service.listWorkers({ namespace, ...request }));
      expect({ request, code: refusal.code }).toEqual({ request, code: 'INVALID_ARGUMENT' });
    }
    const nameless = host.service.recordWorkerHeartbeat({ namespace, workerHeartbeat: [{}] });
    expect((await refused(nameless)).code).toBe('INVALID_ARGUMENT');
  });

  scenario(
    'A worker that leaves or falls silent is known as that',
    async (host, world) => {
      await beat(host, 'a');
      await beat(host, 'b');
      await host.service.shutdownWorker({ namespace, workerInstanceKey: 'a' });
      expect(await listed(host, "Status = 'Shutdown'")).toEqual(['a']);
      await world.clock.advance(30_000);
      await beat(host, 'b');
      await world.clock.advance(30_000);
      expect(await listed(host)).toEqual(['b']);
      for (const key of ['c', 'd', 'e']) await beat(host, key);
      expect(await listed(host)).toEqual(['c', 'd', 'e']);
    },
    { limits: { workerKeptMs: 60_000, workersMax: 3 } },
  );

  scenario('A worker is known to every process on the store', async (host, world) => {
    const other = await world.host();
    await world.clock.advance(2_000);
    await beat(host, 'a');
    await beat(other, 'b', { currentStickyCacheSize: 4 });
    await world.clock.advance(2_000);
    expect(await listed(host)).toEqual(['a', 'b']);
    expect(await listed(other)).toEqual(['a', 'b']);
    const described = await host.service.describeWorker({ namespace, workerInstanceKey: 'b' });
    expect(described.workerInfo?.workerHeartbeat).toMatchObject({
      currentStickyCacheSize: 4,
      startTime: timestampOf(Date.parse('2026-01-01T00:00:00Z')),
    });
    // It leaves by another process than the one it spoke to.
    await other.service.shutdownWorker({ namespace, workerInstanceKey: 'a' });
    await world.clock.advance(2_000);
    expect(await listed(host, "Status = 'Shutdown'")).toEqual(['a']);
  });

  scenario('A queue is described with every worker that polls it', async (host, world) => {
    const taskQueue = { name: 'steps' };
    await host.tryPollStep('steps', { identity: 'a' });
    await world.clock.advance(1_000);
    const taskQueueMetadata = { maxTasksPerSecond: { value: 5 } };
    await host.tryPollStep('steps', { identity: 'b', taskQueueMetadata });
    const { pollers } = await host.service.describeTaskQueue({
      namespace,
      taskQueue,
      taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    });
    expect(pollers).toMatchObject([
      { identity: 'b', ratePerSecond: 5 },
      { identity: 'a', ratePerSecond: 100_000 },
    ]);
    const partitions = await host.service.listTaskQueuePartitions({ namespace, taskQueue });
    expect(partitions).toMatchObject({
      activityTaskQueuePartitions: [{ key: 'steps' }],
      workflowTaskQueuePartitions: [{ key: 'steps' }],
    });
  });

  scenario('A queue is described with its backlog, of one type or of all', async (host, world) => {
    await host.start('a');
    await host.start('b');
    await world.clock.advance(5_000);
    const taskQueue = { name: 'orders' };
    const plain = await host.service.describeTaskQueue({ namespace, taskQueue });
    expect(plain.stats).toBeUndefined();
    const { stats } = await host.service.describeTaskQueue({
      namespace,
      taskQueue,
      reportStats: true,
    });
    expect(Number(stats?.approximateBacklogCount)).toBe(2);
    expect(Number(stats?.approximateBacklogAge?.seconds)).toBe(5);
    await host.turn([step('s', { taskQueue })]);
    const { versionsInfo } = await host.service.describeTaskQueue({
      namespace,
      taskQueue,
      apiMode: DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
      reportPollers: true,
      reportStats: true,
    });
    const types = versionsInfo?.['']?.typesInfo ?? {};
    const backlogs = Object.entries(types).map(([type, info]) => [
      TaskQueueType[Number(type)],
      Number(info.stats?.approximateBacklogCount),
      (info.pollers ?? []).map(({ identity }) => identity),
    ]);
    expect(backlogs).toEqual([
      ['TASK_QUEUE_TYPE_WORKFLOW', 1, ['worker']],
      ['TASK_QUEUE_TYPE_ACTIVITY', 1, []],
    ]);
  });

  scenario('A queue is described with what it is given and gives out', async (host, world) => {
    const taskQueue = { name: 'orders' };
    const rates = async () => {
      const { stats } = await host.service.describeTaskQueue({
        namespace,
        taskQueue,
        reportStats: true,
      });
      return [stats?.tasksAddRate, stats?.tasksDispatchRate].map((rate) =>
        Number(rate?.toFixed(4)),
      );
    };
    expect(await rates()).toEqual([0, 0]);
    await host.start('a');
    await host.start('b');
    await world.clock.advance(2_000);
    await host.turn();
    expect(await rates()).toEqual([1, 0.5]);
    // Over the last half minute, and the part of a span before it.
    await world.clock.advance(32_000);
    expect(await rates()).toEqual([0.0588, 0.0294]);
    await world.clock.advance(2_000);
    expect(await rates()).toEqual([0, 0]);
    // A task that a waiting poll is given at once was in no queue, and counts all the same.
    await host.turn();
    const waiting = host.service.pollWorkflowTaskQueue({ namespace, taskQueue, identity: 'me' });
    await host.start('c');
    expect((await waiting).workflowExecution?.workflowId).toBe('c');
    expect(await rates()).toEqual([0.0323, 0.0645]);
  });

  scenario('A queue is described for the build ids that are asked for', async (host) => {
    await host.start('a');
    const described = async (versions: object | undefined) => {
      const { versionsInfo } = await host.service.describeTaskQueue({
        namespace,
        taskQueue: { name: 'orders' },
        taskQueueTypes: [TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW],
        apiMode: DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
        reportStats: true,
        reportTaskReachability: true,
        ...(versions && { versions }),
      });
      return Object.entries(versionsInfo ?? {}).map(([buildId, info]) => [
        buildId,
        Number(info.typesInfo?.['1']?.stats?.approximateBacklogCount),
        BuildIdTaskReachability[info.taskReachability ?? 0],
      ]);
    };
    const unversioned = ['', 1, 'BUILD_ID_TASK_REACHABILITY_REACHABLE'];
    const other = ['v2', 0, 'BUILD_ID_TASK_REACHABILITY_UNREACHABLE'];
    expect(await described(undefined)).toEqual([unversioned]);
    expect(await described({ buildIds: ['v2'], unversioned: true })).toEqual([other, unversioned]);
    expect(await described({ allActive: true })).toEqual([]);
    const sticky = host.service.describeTaskQueue({
      namespace,
      taskQueue: { name: 'mine', kind: TaskQueueKind.TASK_QUEUE_KIND_STICKY },
      apiMode: DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED,
    });
    expect((await refused(sticky)).code).toBe('INVALID_ARGUMENT');
  });
}
