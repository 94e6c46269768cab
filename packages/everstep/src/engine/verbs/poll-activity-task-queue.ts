import { checkTaskQueue } from '../../core/id-length.ts';
import { isServiceError } from '../../service/service-error.ts';
import type { ActivityTask } from '../../service/local-worker.ts';
import { activityTaskMessage } from '../task-message.ts';
import { encodeActivityToken } from '../task-token.ts';
import type { Verb } from '../verb.ts';
import { assertPollDeadline } from './poll-workflow-task-queue.ts';
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
    return await new Promise<ActivityTask>((resolve) => {
      wait.signal.addEventListener('abort', () => {
        resolve({});
      });
      if (wait.signal.aborted) resolve({});
      context.matching.poll(
        {
          namespaceId: namespace.namespaceId,
          kind: 'activity',
          taskQueue,
          identity,
          take: async (row, run) => {
            try {
              const { value, run: committed } = await context.executor.submitTo(
                run,
                {
                  kind: 'startActivity',
                  scheduledEventId: row.scheduledEventId,
                  stamp: row.stamp,
                  requestId: context.random.uuid(),
                  identity,
                },
                { doneTask: row.taskId },
              );
              const scheduled = await context.history.event(committed, row.scheduledEventId);
              if (!scheduled || !committed.state) return false;
              const { activity } = value;
              const taskToken = encodeActivityToken(committed.key, {
                scheduledEventId: row.scheduledEventId,
                attempt: activity.attempt,
                stamp: activity.stamp,
              });
              resolve(
                activityTaskMessage({ state: committed.state, activity, taskToken, scheduled }),
              );
              return true;
            } catch (error) {
              if (isServiceError(error)) return false;
              throw error;
            }
          },
        },
        wait.signal,
      );
    });
  } finally {
    wait.end();
  }
};
