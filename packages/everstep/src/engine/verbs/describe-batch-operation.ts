import { longOf, timestampOf } from '../../core/time.ts';
import { batchOf, batchStateOf, batchTypeOf } from '../batches.ts';
import type { Verb } from '../verb.ts';

export const describeBatchOperation: Verb<'describeBatchOperation'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const { state, batch } = await batchOf(context, namespace, request.jobId);
  const { executions, targetExecutions, reason, visibilityQuery } = batch.request;
  return {
    operationType: batchTypeOf(batch.operation),
    jobId: state.workflowId,
    state: batchStateOf(state.status),
    startTime: timestampOf(state.startTime),
    ...(state.closeTime > 0 && { closeTime: timestampOf(state.closeTime) }),
    totalOperationCount: longOf(batch.total),
    completeOperationCount: longOf(batch.completed),
    failureOperationCount: longOf(batch.failed),
    identity: batch.identity,
    reason: reason ?? '',
    query: visibilityQuery ?? '',
    executions: targetExecutions?.length
      ? targetExecutions
      : (executions ?? []).map(({ workflowId, runId }) => ({
          type: 1,
          businessId: workflowId ?? '',
          runId: runId ?? '',
        })),
  };
};
