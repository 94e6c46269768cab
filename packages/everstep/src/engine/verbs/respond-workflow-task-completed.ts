import type { ActivityTask } from '../../service/local-worker.ts';
import type { Replies } from '../../core/input.ts';
import type { DispatchTask } from '../../core/input.ts';
import { longOf } from '../../core/time.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import { activityTaskMessage } from '../task-message.ts';
import { decodeTaskToken, encodeActivityToken } from '../task-token.ts';
import type { RequestOutcome } from '../unit.ts';
import { dispatchWaitingQueries } from '../direct-query.ts';
import { errorOf, runNotFound } from '../executor.ts';
import { attributesOfCommand, typedCommand } from '../search-attributes.ts';
import type { Verb } from '../verb.ts';
import { messageOf } from './poll-workflow-task-queue.ts';

interface Eager {
  readonly scheduledEventId: number;
  readonly reply: Replies['startActivity'];
}

/** WT-13 … WT-24; AC-16: eager activities start in the same commit and travel in the reply. */
export const respondWorkflowTaskCompleted: Verb<'respondWorkflowTaskCompleted'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.getFor(
    request.namespace,
    ...(request.commands ?? []).map(attributesOfCommand),
  );
  const { key, token } = decodeTaskToken('workflow', request.taskToken, namespace.namespaceId);
  const run = await context.executor.locate(key);
  if (!run) throw runNotFound(key);
  const { taskToken: _token, commands, namespace: _namespace, queryResults, ...rest } = request;
  const identity = request.identity ?? '';
  const stickyQueue = request.stickyAttributes?.workerTaskQueue?.name ?? '';
  if (stickyQueue !== '') context.matching.stickyNamed(key.namespaceId, stickyQueue);
  const registered = namespace.config.searchAttributes;
  const typed = (commands ?? []).map((command) => typedCommand(command, registered));
  let eager: Eager[] = [];
  let next: Replies['startWorkflowTask'] | undefined;
  const { value, done } = await new Promise<{
    value: Replies['completeWorkflowTask'];
    done: LiveRun;
  }>((resolve, reject) => {
    context.executor.apply(run, {
      input: { kind: 'completeWorkflowTask', token, commands: typed, request: rest },
      settle: (outcome) => {
        if (outcome.ok) {
          resolve({ value: outcome.value as Replies['completeWorkflowTask'], done: outcome.run });
        } else {
          reject(errorOf(outcome) as Error);
        }
      },
      onApplied: (part, outcome) => {
        eager = [];
        next = undefined;
        if (!outcome.ok) return;
        const reply = outcome.value as Replies['completeWorkflowTask'];
        const start = (
          input: Parameters<EngineContext['executor']['applyIn']>[1]['input'],
        ): RequestOutcome =>
          context.executor.applyIn(part, {
            input,
            settle: () => undefined,
            handedOverIn: part.unit,
          });
        for (const task of reply.eagerActivities) {
          const started = start({
            kind: 'startActivity',
            scheduledEventId: task.scheduledEventId,
            stamp: task.stamp,
            requestId: context.random.uuid(),
            identity,
          });
          if (!started.ok) continue;
          eager.push({
            scheduledEventId: task.scheduledEventId,
            reply: started.value as Replies['startActivity'],
          });
        }
        if (reply.returnNewTask) next = startedNext(start, context, reply.returnNewTask, identity);
      },
    });
  });
  context.queries.answerAttached(key.runId, queryResults ?? {});
  dispatchWaitingQueries(context, done);
  const [workflowTask, ...activityTasks] = await Promise.all([
    next && messageOf(context, done, next, true),
    ...eager.map((one) => eagerMessage(context, done, one)),
  ]);
  return {
    ...(workflowTask ? { workflowTask } : {}),
    activityTasks: activityTasks.filter((task) => task !== undefined),
    resetHistoryEventId: longOf(value.resetHistoryEventId),
  };
};

function startedNext(
  start: (input: Parameters<EngineContext['executor']['applyIn']>[1]['input']) => RequestOutcome,
  context: EngineContext,
  task: DispatchTask,
  identity: string,
): Replies['startWorkflowTask'] | undefined {
  const outcome = start({
    kind: 'startWorkflowTask',
    scheduledEventId: task.scheduledEventId,
    stamp: task.stamp,
    requestId: context.random.uuid(),
    identity,
    taskQueue: task.taskQueue,
  });
  return outcome.ok ? (outcome.value as Replies['startWorkflowTask']) : undefined;
}

async function eagerMessage(
  context: EngineContext,
  run: LiveRun,
  one: Eager,
): Promise<ActivityTask | undefined> {
  const scheduled = await context.history.event(run, one.scheduledEventId);
  if (!scheduled || !run.state) return undefined;
  const { activity } = one.reply;
  return activityTaskMessage({
    state: run.state,
    activity,
    scheduled,
    taskToken: encodeActivityToken(run.key, {
      scheduledEventId: one.scheduledEventId,
      attempt: activity.attempt,
      stamp: activity.stamp,
    }),
  });
}
