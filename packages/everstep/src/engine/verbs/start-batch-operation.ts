import { createBatch } from '../../core/batch/batch.ts';
import { checkBatch } from '../../core/batch/batch-request.ts';
import { ServiceError } from '../../service/service-error.ts';
import { batchFilter, batchesNamespaceId } from '../batches.ts';
import type { EngineContext } from '../context.ts';
import { errorOf } from '../executor.ts';
import { newUnit } from '../unit.ts';
import type { Verb } from '../verb.ts';

/** A job id is used once. The runs of a query are those that are there when they are listed. */
export const startBatchOperation: Verb<'startBatchOperation'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const checked = checkBatch(request, {
    limits: context.coreLimits,
    executionsMax: context.limits.batchExecutionsMax,
  });
  if (!checked.ok) throw new ServiceError(checked.refusal);
  const { targets, operation, identity } = checked;
  const filter = request.visibilityQuery
    ? batchFilter(namespace, { request, operation })
    : undefined;
  const namespaceId = batchesNamespaceId(namespace.namespaceId);
  const jobId = request.jobId ?? '';
  const current = await context.executor.locateCurrent(namespaceId, jobId);
  if (current?.latest) throw alreadyStarted(current.latest);
  await assertNotTooMany(context, namespaceId);
  const { count } = request.visibilityQuery
    ? await context.store.visibility.count({
        namespaceId: namespace.namespaceId,
        groupByStatus: false,
        ...(filter && { filter }),
      })
    : { count: targets.length };
  const args = {
    namespaceId,
    namespace: namespace.name,
    workflowsNamespaceId: namespace.namespaceId,
    jobId,
    runId: context.random.uuid(),
    request,
    operation,
    identity,
    targets,
    total: count,
  };
  const made = createBatch(args, context.executor.env());
  const done = await new Promise<boolean>((resolve, reject) => {
    const unit = newUnit();
    unit.restart = () => {
      resolve(false);
    };
    context.executor.addTransitions(unit, [], made, (outcome) => {
      if (outcome.ok) resolve(true);
      else reject(errorOf(outcome) as Error);
    });
  });
  if (!done) {
    const other = await context.executor.locateCurrent(namespaceId, jobId);
    throw alreadyStarted(other?.latest ?? made.state);
  }
  return {};
};

async function assertNotTooMany(context: EngineContext, namespaceId: string): Promise<void> {
  const { count } = await context.store.visibility.count({
    namespaceId,
    groupByStatus: false,
    filter: { op: '=', field: { system: 'status' }, value: 'running' },
  });
  if (count < context.limits.batchOperationsMax) return;
  throw new ServiceError({
    code: 'RESOURCE_EXHAUSTED',
    message: `Max concurrent batch operations is reached (${context.limits.batchOperationsMax}); try again when one has ended.`,
    detail: { kind: 'resourceExhausted', cause: 'concurrentLimit' },
  });
}

function alreadyStarted(state: {
  readonly runId: string;
  readonly createRequestId: string;
}): ServiceError {
  return new ServiceError({
    code: 'ALREADY_EXISTS',
    message: 'A batch operation with this job id was started already.',
    detail: {
      kind: 'workflowExecutionAlreadyStarted',
      startRequestId: state.createRequestId,
      runId: state.runId,
    },
  });
}
