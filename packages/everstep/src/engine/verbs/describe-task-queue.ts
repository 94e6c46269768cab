import proto from '@temporalio/proto';
import { longOf, timestampOf } from '../../core/time.ts';
import { queueKey } from '../matching.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

const { TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;

/** Pollers of this process and of the others on the store, and the backlog. */
export const describeTaskQueue: Verb<'describeTaskQueue'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const taskQueue = request.taskQueue?.name ?? '';
  if (taskQueue === '') throw invalid('TaskQueue is not set on request.');
  const kind = request.taskQueueType === TASK_QUEUE_TYPE_ACTIVITY ? 'activity' : 'workflow';
  const { namespaceId } = namespace;
  const own = context.matching.describe(namespaceId, kind, taskQueue);
  const key = queueKey(namespaceId, kind, taskQueue);
  const backlog = await context.store.tasks.backlog({ namespaceId, kind, taskQueue });
  const now = context.clock.now();
  const pollers = context.processes.others
    .filter((process) => process.queues.includes(key))
    .map((process) => ({
      lastAccessTime: timestampOf(process.heartbeatAt),
      identity: `${process.pid}@${process.hostId}`,
      ratePerSecond: 0,
    }));
  if (own.lastPollAt > 0) {
    pollers.unshift({
      lastAccessTime: timestampOf(own.lastPollAt),
      identity: own.identity,
      ratePerSecond: 0,
    });
  }
  return {
    pollers,
    stats: {
      approximateBacklogCount: longOf(backlog.count),
      approximateBacklogAge: {
        seconds: longOf(
          backlog.count === 0 ? 0 : Math.max(0, Math.floor((now - backlog.oldestCreatedAt) / 1000)),
        ),
        nanos: 0,
      },
    },
  };
};
