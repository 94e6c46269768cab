import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

/** One of each type: rows of a queue lie together in the store. */
export const listTaskQueuePartitions: Verb<'listTaskQueuePartitions'> = async (
  context,
  request,
) => {
  await context.namespaces.get(request.namespace);
  const key = request.taskQueue?.name ?? '';
  if (key === '') throw invalid('TaskQueue is not set on request.');
  const partitions = [{ key, ownerHostName: context.processId }];
  return { activityTaskQueuePartitions: partitions, workflowTaskQueuePartitions: partitions };
};
