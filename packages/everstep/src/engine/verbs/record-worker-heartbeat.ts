import { recordHeartbeats } from '../told-workers.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

/** What workers say of themselves, each by its instance key. */
export const recordWorkerHeartbeat: Verb<'recordWorkerHeartbeat'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const heartbeats = request.workerHeartbeat ?? [];
  if (heartbeats.some(({ workerInstanceKey }) => !workerInstanceKey)) {
    throw invalid('WorkerInstanceKey is not set on a heartbeat of the request.');
  }
  await recordHeartbeats(context, namespaceId, heartbeats);
  return {};
};
