import { ServiceError } from '../../service/service-error.ts';
import { awaitUpdate, updateProgress } from '../update-wait.ts';
import type { Verb } from '../verb.ts';
import { freshRunOf, invalid } from './request-run.ts';
import { updateResponse } from './update-workflow-execution.ts';

/** UP-4. Without a wait policy it answers at once with the stage reached. */
export const pollWorkflowExecutionUpdate: Verb<'pollWorkflowExecutionUpdate'> = async (
  context,
  request,
  call,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const { updateRef, waitPolicy } = request;
  const updateId = updateRef?.updateId ?? '';
  if (updateId === '') throw invalid('UpdateId is not set on request.');
  const run = await freshRunOf(context, namespace.namespaceId, updateRef?.workflowExecution);
  const progress = waitPolicy?.lifecycleStage
    ? await awaitUpdate(context, run, updateId, waitPolicy.lifecycleStage, call)
    : await updateProgress(context, run, updateId);
  if (!progress) {
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: `update ${JSON.stringify(updateId)} not found`,
      detail: { kind: 'notFound' },
    });
  }
  return updateResponse(progress, { meta: { updateId } });
};
