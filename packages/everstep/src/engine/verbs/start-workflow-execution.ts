import type { Replies } from '../../core/input.ts';
import type { RunState } from '../../core/state.ts';
import { validateStart } from '../../core/start-request.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { EngineContext } from '../context.ts';
import { statusOf } from '../run-info.ts';
import { typedAttributes } from '../search-attributes.ts';
import { startRules } from '../starts.ts';
import type { Part } from '../unit.ts';
import type { Verb } from '../verb.ts';
import { messageOf } from './poll-workflow-task-queue.ts';

/** ID-1 … ID-3. An eager start begins its first workflow task in the same commit, for the worker that asked. */
export const startWorkflowExecution: Verb<'startWorkflowExecution'> = async (context, request) => {
  const namespace = await context.namespaces.getFor(request.namespace, request.searchAttributes);
  const refusal = validateStart(request, startRules(context, namespace));
  if (refusal) throw new ServiceError(refusal);
  const searchAttributes = typedAttributes(
    request.searchAttributes ?? null,
    namespace.config.searchAttributes,
  );
  const eager = request.requestEagerExecution === true && !request.workflowStartDelay;
  let first: Replies['startWorkflowTask'] | undefined;
  const outcome = await context.starts.start(
    {
      kind: 'start',
      namespaceId: namespace.namespaceId,
      namespace: namespace.name,
      runId: context.random.uuid(),
      request: {
        ...request,
        searchAttributes,
        requestId: request.requestId || context.random.uuid(),
        requestEagerExecution: eager,
      },
    },
    eager
      ? {
          onApplied: (part) => {
            first = startedTask(context, part, request.identity ?? '');
          },
        }
      : undefined,
  );
  const { run, runId, started } = outcome;
  const status = statusOf(run?.latest);
  return {
    runId,
    started,
    status,
    ...(first &&
      run &&
      started && { eagerWorkflowTask: await messageOf(context, run, first, false) }),
  };
};

/** Undefined when there is none yet, such as in a cron's backoff, or when a worker of this process has it. */
function startedTask(
  context: EngineContext,
  part: Part,
  identity: string,
): Replies['startWorkflowTask'] | undefined {
  const task = (part.state as RunState | undefined)?.workflowTask;
  if (!task || task.startedEventId !== 0) return undefined;
  const outcome = context.executor.applyIn(part, {
    input: {
      kind: 'startWorkflowTask',
      scheduledEventId: task.scheduledEventId,
      stamp: task.stamp,
      requestId: context.random.uuid(),
      identity,
      taskQueue: task.taskQueue,
    },
    settle: () => undefined,
    handedOverIn: part.unit,
    madeByRestart: true,
  });
  return outcome.ok ? (outcome.value as Replies['startWorkflowTask']) : undefined;
}
