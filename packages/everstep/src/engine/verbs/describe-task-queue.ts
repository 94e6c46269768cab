import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { durationOf, longOf, timestampOf } from '../../core/time.ts';
import type { TaskKind } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import { queueKey } from '../matching.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

const { DescribeTaskQueueMode, TaskQueueType } = proto.temporal.api.enums.v1;
const enhanced = DescribeTaskQueueMode.DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
type Stats = temporal.api.taskqueue.v1.ITaskQueueStats;

/**
 * Pollers of this process and of the others on the store, and the backlog. In the enhanced mode, which the `temporal`
 * command uses, of each type, under the build id of workers without one.
 */
export const describeTaskQueue: Verb<'describeTaskQueue'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const taskQueue = request.taskQueue?.name ?? '';
  if (taskQueue === '') throw invalid('TaskQueue is not set on request.');
  const queueOf = (kind: TaskKind) => described(context, namespaceId, kind, taskQueue);
  if (request.apiMode === enhanced) {
    const asked = request.taskQueueTypes?.length ? request.taskQueueTypes : allTypes;
    const typesInfo: Record<string, temporal.api.taskqueue.v1.ITaskQueueTypeInfo> = {};
    for (const type of asked) {
      const kind = kinds.get(type);
      if (kind === undefined) continue;
      const { pollers, stats } = await queueOf(kind);
      typesInfo[String(type)] = {
        ...(request.reportPollers && { pollers }),
        ...(request.reportStats && { stats }),
      };
    }
    return { versionsInfo: { '': { typesInfo } } };
  }
  const { pollers, stats } = await queueOf(kinds.get(request.taskQueueType ?? 0) ?? 'workflow');
  return {
    pollers,
    stats,
    ...(request.includeTaskQueueStatus && {
      taskQueueStatus: { backlogCountHint: stats.approximateBacklogCount ?? longOf(0) },
    }),
  };
};

const kinds: ReadonlyMap<number, TaskKind> = new Map([
  [TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, 'workflow'],
  [TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY, 'activity'],
]);
const allTypes = [...kinds.keys()];

async function described(
  context: EngineContext,
  namespaceId: string,
  kind: TaskKind,
  taskQueue: string,
): Promise<{ readonly pollers: temporal.api.taskqueue.v1.IPollerInfo[]; readonly stats: Stats }> {
  const key = queueKey(namespaceId, kind, taskQueue);
  const backlog = await context.store.tasks.backlog({ namespaceId, kind, taskQueue });
  const pollers: temporal.api.taskqueue.v1.IPollerInfo[] = context.matching
    .pollersOf(namespaceId, kind, taskQueue)
    .map(({ identity, at, ratePerSecond }) => ({
      lastAccessTime: timestampOf(at),
      identity,
      ratePerSecond,
    }));
  for (const { queues, heartbeatAt, pid, hostId } of context.processes.others) {
    if (!queues.includes(key)) continue;
    pollers.push({ lastAccessTime: timestampOf(heartbeatAt), identity: `${pid}@${hostId}` });
  }
  const ageMs = backlog.count === 0 ? 0 : context.clock.now() - backlog.oldestCreatedAt;
  return {
    pollers,
    stats: {
      approximateBacklogCount: longOf(backlog.count),
      approximateBacklogAge: durationOf(Math.max(0, ageMs)),
    },
  };
}
