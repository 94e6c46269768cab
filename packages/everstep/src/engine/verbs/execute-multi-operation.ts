import type { Refusal } from '../../core/refusal.ts';
import { validateStart } from '../../core/start-request.ts';
import { ServiceError } from '../../service/service-error.ts';
import { statusOf } from '../run-info.ts';
import { typedAttributes } from '../search-attributes.ts';
import { UpdateRefused, startRules } from '../starts.ts';
import { wantedStage } from '../update-wait.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';
import { answeredUpdate, checkedUpdate } from './update-workflow-execution.ts';

/** UP-8: a start and an update of one workflow id. */
export const executeMultiOperation: Verb<'executeMultiOperation'> = async (
  context,
  request,
  call,
) => {
  const namespace = await context.namespaces.getFor(
    request.namespace,
    request.operations?.[0]?.startWorkflow?.searchAttributes,
  );
  const [first, second, ...more] = request.operations ?? [];
  const start = first?.startWorkflow;
  const update = second?.updateWorkflow;
  if (!start || !update || more.length > 0) {
    throw invalid('Operations have to be exactly [Start, Update].');
  }
  if (start.workflowId !== update.workflowExecution?.workflowId) {
    throw failed(undefined, invalid('WorkflowId is not consistent with the one of StartWorkflow.'));
  }
  const refusal = validateStart(start, startRules(context, namespace));
  if (refusal) throw failed(refusal, undefined);
  const problem = startProblem(start) ?? updateProblemOf(update);
  if (problem) throw problem;
  let stage;
  let wanted;
  try {
    stage = wantedStage(update.waitPolicy?.lifecycleStage);
    wanted = checkedUpdate(context, update.request);
  } catch (error) {
    throw wrapped(error, 'update');
  }
  const requestId = start.requestId || context.random.uuid();
  let outcome;
  try {
    outcome = await context.starts.updateWithStart(
      {
        kind: 'start',
        namespaceId: namespace.namespaceId,
        namespace: namespace.name,
        runId: context.random.uuid(),
        request: {
          ...start,
          requestId,
          searchAttributes: typedAttributes(
            start.searchAttributes ?? null,
            namespace.config.searchAttributes,
          ),
        },
      },
      wanted,
    );
  } catch (error) {
    throw error instanceof UpdateRefused ? wrapped(error.cause, 'update') : wrapped(error, 'start');
  }
  const { run, runId, started } = outcome;
  try {
    const updateWorkflow = await answeredUpdate(context, run, wanted, stage, call);
    const status = statusOf(run.latest);
    return { responses: [{ startWorkflow: { runId, started, status } }, { updateWorkflow }] };
  } catch (error) {
    throw wrapped(error, 'update');
  }
};

function startProblem(start: {
  readonly workflowIdConflictPolicy?: number | null;
  readonly cronSchedule?: string | null;
  readonly workflowStartDelay?: object | null;
  readonly requestEagerExecution?: boolean | null;
}): ServiceError | undefined {
  const words = !start.workflowIdConflictPolicy
    ? 'WorkflowIdConflictPolicy is not set on StartWorkflow.'
    : start.cronSchedule
      ? 'CronSchedule is not allowed.'
      : start.requestEagerExecution
        ? 'RequestEagerExecution is not supported.'
        : start.workflowStartDelay
          ? 'WorkflowStartDelay is not supported.'
          : undefined;
  return words === undefined ? undefined : failed(invalid(words), undefined);
}

function updateProblemOf(update: {
  readonly firstExecutionRunId?: string | null;
  readonly workflowExecution?: { readonly runId?: string | null } | null;
}): ServiceError | undefined {
  const words = update.firstExecutionRunId
    ? 'FirstExecutionRunId is not allowed.'
    : update.workflowExecution?.runId
      ? 'RunId is not allowed.'
      : undefined;
  return words === undefined ? undefined : failed(undefined, invalid(words));
}

/** One that is no refusal, such as a store that fails, goes on as it is. */
function wrapped(error: unknown, operation: 'start' | 'update'): unknown {
  if (!(error instanceof ServiceError)) return error;
  return operation === 'start' ? failed(error, undefined) : failed(undefined, error);
}

/** What each operation came to; undefined: it was aborted by the other. */
function failed(
  start: Refusal | ServiceError | undefined,
  update: Refusal | ServiceError | undefined,
): ServiceError {
  const refusals = [start, update].map((refusal) => refusal && refusalOf(refusal));
  return new ServiceError({
    code: (start ?? update)?.code ?? 'ABORTED',
    message: 'Update-with-Start could not be executed.',
    detail: { kind: 'multiOperation', refusals },
  });
}

function refusalOf({ code, message, detail }: Refusal | ServiceError): Refusal {
  return detail ? { code, message, detail } : { code, message };
}
