import type { Replies } from '../../core/input.ts';
import { checkTaskQueue } from '../../core/id-length.ts';
import type { RunState } from '../../core/state.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { WorkflowTask } from '../../service/local-worker.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import { encodeHistoryPage } from '../page-token.ts';
import { workflowTaskMessage } from '../task-message.ts';
import { encodeWorkflowTaskToken } from '../task-token.ts';
import type { Verb } from '../verb.ts';
import { pollTask } from './poll-task.ts';
import { invalid } from './request-run.ts';
import { waitFor } from './wait.ts';

const sticky = 2;

/** WT-8, WT-11. Empty when nothing came within the poll. */
export const pollWorkflowTaskQueue: Verb<'pollWorkflowTaskQueue'> = async (
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
  const wait = waitFor(context, call, context.limits.longPollMs);
  try {
    return await pollTask<WorkflowTask>(
      context,
      wait,
      {
        namespaceId: namespace.namespaceId,
        kind: 'workflow',
        taskQueue,
        identity: request.identity ?? '',
        sticky: request.taskQueue?.kind === sticky,
      },
      {
        startOf: ({ scheduledEventId, stamp }) => ({
          kind: 'startWorkflowTask',
          scheduledEventId,
          stamp,
          requestId: context.random.uuid(),
          identity: request.identity ?? '',
          taskQueue,
        }),
        messageOf: (run, _task, reply) =>
          messageOf(
            context,
            run,
            reply as Replies['startWorkflowTask'],
            request.taskQueue?.kind === sticky,
          ),
        queryTask: (query) => query.message as WorkflowTask,
      },
    );
  } finally {
    wait.end();
  }
};

/** A poll that could not wait even a little is refused, not answered empty at once for ever. */
export function assertPollDeadline(context: EngineContext, deadline: number | undefined): void {
  if (
    deadline !== undefined &&
    deadline - context.clock.now() < context.limits.longPollDeadlineMinMs
  ) {
    throw new ServiceError({
      code: 'FAILED_PRECONDITION',
      message: 'Context timeout is too short.',
    });
  }
}

/** The reply to a poll: the whole history in pages, or what a sticky worker has not seen. */
export async function messageOf(
  context: EngineContext,
  run: LiveRun,
  started: Replies['startWorkflowTask'],
  isSticky: boolean,
): Promise<WorkflowTask> {
  const state = run.state as RunState;
  // Before anything is waited for: a query that comes later may know of a signal that is not in this task (QY-5).
  const queries = context.queries.attach(run.key.runId);
  const from =
    isSticky && started.previousStartedEventId > 0 ? started.previousStartedEventId + 1 : 1;
  const started1 = started.workflowTask.startedEventId + 1;
  const end =
    started.transientEvents.length > 0 ? state.nextEventId : Math.min(started1, state.nextEventId);
  const until = Math.min(end, from + context.limits.historyPageEvents);
  const whole = until === end;
  const { transientEvents } = started;
  const history = await context.history.message(run, from, until, whole ? transientEvents : []);
  const message = workflowTaskMessage({
    state,
    started,
    taskToken: encodeWorkflowTaskToken(run.key, started.token),
    history,
    ...(whole
      ? {}
      : {
          nextPageToken: encodeHistoryPage({
            runId: run.key.runId,
            nextEventId: until,
            forTask: true,
          }),
        }),
  });
  message.queries = queries;
  return message;
}
