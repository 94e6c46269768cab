import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { durationOf, longOf, timestampOf } from '../../core/time.ts';
import type { TaskKind } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import { queueKey } from '../matching.ts';
import { ratePerSecondDefault } from '../seen-pollers.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

const { BuildIdTaskReachability, DescribeTaskQueueMode, TaskQueueKind, TaskQueueType } =
  proto.temporal.api.enums.v1;
const enhanced = DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
const sticky = TaskQueueKind.TASK_QUEUE_KIND_STICKY;
const { BUILD_ID_TASK_REACHABILITY_REACHABLE: reachable } = BuildIdTaskReachability;
const { BUILD_ID_TASK_REACHABILITY_UNREACHABLE: unreachable } = BuildIdTaskReachability;

type Request = Parameters<Verb<'describeTaskQueue'>>[1];
type Stats = temporal.api.taskqueue.v1.ITaskQueueStats;
type TypeInfo = temporal.api.taskqueue.v1.ITaskQueueTypeInfo;
type VersionInfo = temporal.api.taskqueue.v1.ITaskQueueVersionInfo;

/**
 * Pollers of this process and of the others on the store, and where they are asked for the backlog and the rates. In
 * the enhanced mode, which the `temporal` command uses, of each type and each build id: all tasks are under the empty
 * one, that of workers without versions.
 */
export const describeTaskQueue: Verb<'describeTaskQueue'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const name = request.taskQueue?.name ?? '';
  if (name === '') throw invalid('TaskQueue is not set on request.');
  if (request.apiMode === enhanced) {
    if (request.taskQueue?.kind === sticky) {
      throw invalid(
        'Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED or a normal queue.',
      );
    }
    return { versionsInfo: await versionsOf(context, namespaceId, name, request) };
  }
  const kind = kinds.get(request.taskQueueType ?? 0) ?? 'workflow';
  const counted = request.reportStats || request.includeTaskQueueStatus;
  const stats = counted ? await statsOf(context, { namespaceId, kind, taskQueue: name }) : {};
  return {
    pollers: pollersOf(context, namespaceId, kind, name),
    ...(request.reportStats && { stats }),
    ...(request.includeTaskQueueStatus && {
      taskQueueStatus: {
        backlogCountHint: stats.approximateBacklogCount ?? longOf(0),
        ratePerSecond: ratePerSecondDefault,
      },
    }),
  };
};

const kinds: ReadonlyMap<number, TaskKind> = new Map([
  [TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, 'workflow'],
  [TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, 'activity'],
]);
const allTypes = [...kinds.keys()];

async function versionsOf(
  context: EngineContext,
  namespaceId: string,
  taskQueue: string,
  request: Request,
): Promise<Record<string, VersionInfo>> {
  const asked = request.taskQueueTypes?.length ? request.taskQueueTypes : allTypes;
  const versions: Record<string, VersionInfo> = {};
  for (const buildId of buildIdsOf(request)) {
    const typesInfo: Record<string, TypeInfo> = {};
    for (const type of asked) {
      const kind = kinds.get(type);
      if (kind === undefined) continue;
      const own = buildId === '';
      const pollers = own ? pollersOf(context, namespaceId, kind, taskQueue) : [];
      const stats = async (): Promise<Stats> =>
        own ? statsOf(context, { namespaceId, kind, taskQueue }) : noStats;
      typesInfo[String(type)] = {
        ...(request.reportPollers && { pollers }),
        ...(request.reportStats && { stats: await stats() }),
      };
    }
    versions[buildId] = {
      typesInfo,
      ...(request.reportTaskReachability && {
        taskReachability: buildId === '' ? reachable : unreachable,
      }),
    };
  }
  return versions;
}

/** Of versions that are active none is known: nobody polls with one. */
function buildIdsOf({ versions }: Request): ReadonlySet<string> {
  if (!versions) return new Set(['']);
  return new Set([...(versions.buildIds ?? []), ...(versions.unversioned ? [''] : [])]);
}

const noStats: Stats = {
  approximateBacklogCount: longOf(0),
  approximateBacklogAge: durationOf(0),
  tasksAddRate: 0,
  tasksDispatchRate: 0,
};

async function statsOf(
  { store, clock, taskRates }: EngineContext,
  queue: { readonly namespaceId: string; readonly kind: TaskKind; readonly taskQueue: string },
): Promise<Stats> {
  const backlog = await store.tasks.backlog(queue);
  const ageMs = backlog.count === 0 ? 0 : clock.now() - backlog.oldestCreatedAt;
  return {
    approximateBacklogCount: longOf(backlog.count),
    approximateBacklogAge: durationOf(Math.max(0, ageMs)),
    ...taskRates.of(queue.namespaceId, queue.kind, queue.taskQueue),
  };
}

function pollersOf(
  { matching, processes }: EngineContext,
  namespaceId: string,
  kind: TaskKind,
  taskQueue: string,
): temporal.api.taskqueue.v1.IPollerInfo[] {
  const pollers: temporal.api.taskqueue.v1.IPollerInfo[] = matching
    .pollersOf(namespaceId, kind, taskQueue)
    .map(({ identity, at, ratePerSecond }) => ({
      lastAccessTime: timestampOf(at),
      identity,
      ratePerSecond,
    }));
  const key = queueKey(namespaceId, kind, taskQueue);
  for (const { queues, heartbeatAt, pid, hostId } of processes.others) {
    if (!queues.includes(key)) continue;
    pollers.push({ lastAccessTime: timestampOf(heartbeatAt), identity: `${pid}@${hostId}` });
  }
  return pollers;
}
