import type { Verb } from '../verb.ts';

/** A worker says that it leaves. What was for its sticky queue goes to the normal queue at once, not after WT-6's wait. */
export const shutdownWorker: Verb<'shutdownWorker'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const { workerHeartbeat, workerInstanceKey } = request;
  if (workerHeartbeat?.workerInstanceKey) {
    context.workerRegistry.record(namespaceId, workerHeartbeat);
  } else if (workerInstanceKey) {
    context.workerRegistry.shutDown(namespaceId, workerInstanceKey);
  }
  const taskQueue = request.stickyTaskQueue ?? '';
  if (taskQueue !== '') {
    await context.store.tasks.unstick({ namespaceId, taskQueue });
    context.matching.look();
  }
  return {};
};
