import { checkTaskQueue } from '../../core/id-length.ts';
import type { Replies } from '../../core/input.ts';
import type { ActivityTask } from '../../service/local-worker.ts';
import { activityTaskMessage } from '../task-message.ts';
import { encodeActivityToken } from '../task-token.ts';
import type { Verb } from '../verb.ts';
import { assertPollDeadline } from './poll-workflow-task-queue.ts';
import { pollTask } from './poll-task.ts';
import { invalid } from './request-run.ts';
import { waitFor } from './wait.ts';

/** AC-4. Empty when nothing came within the poll. */
export const pollActivityTaskQueue: Verb<'pollActivityTaskQueue'> = async (
  context,
  request,
  call,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const taskQueue = request.taskQueue?.name ?? '';
  const problem =
    taskQueue === ''
      ? 'TaskQueue is not set on request.'
      : checkTaskQueue(taskQueue, context.coreLimits);
  if (problem) throw invalid(problem);
  assertPollDeadline(context, call?.deadline);
  const identity = request.identity ?? '';
  const wait = waitFor(context, call, context.limits.longPollMs);
  try {
    return await pollTask<ActivityTask>(
      context,
      wait,
      {
        namespaceId: namespace.namespaceId,
        kind: 'activity',
        taskQueue,
        identity,
        ratePerSecond: request.taskQueueMetadata?.maxTasksPerSecond?.value ?? undefined,
      },
      {
        startOf: ({ scheduledEventId, stamp }) => ({
          kind: 'startActivity',
          scheduledEventId,
          stamp,
          requestId: context.random.uuid(),
          identity,
        }),
        messageOf: async (run, { scheduledEventId }, reply) => {
          const { activity } = reply as Replies['startActivity'];
          const scheduled = await context.history.event(run, scheduledEventId);
          if (!scheduled || !run.state) return undefined;
          const taskToken = encodeActivityToken(run.key, {
            scheduledEventId,
            attempt: activity.attempt,
            stamp: activity.stamp,
          });
          return activityTaskMessage({ state: run.state, activity, taskToken, scheduled });
        },
      },
    );
  } finally {
    wait.end();
  }
};
