import { batchOf } from '../batches.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

/** What is done stays done. */
export const stopBatchOperation: Verb<'stopBatchOperation'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  if (!request.reason) throw invalid('Reason is not set on request.');
  const { run } = await batchOf(context, namespace, request.jobId);
  await context.executor.submitTo<'stopBatch'>(run, { kind: 'stopBatch' });
  return {};
};
