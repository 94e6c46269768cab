import proto from '@temporalio/proto';
import type { EngineContext } from '../context.ts';
import { recordHeartbeats } from '../told-workers.ts';
import type { WorkerHeartbeat } from '../worker-registry.ts';
import type { Verb } from '../verb.ts';

const { WorkerStatus } = proto.temporal.api.enums.v1;

/** A worker says that it leaves. What was for its sticky queue goes to the normal queue at once, not after WT-6's wait. */
export const shutdownWorker: Verb<'shutdownWorker'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  await recordHeartbeats(context, namespaceId, lastOf(context, namespaceId, request));
  const taskQueue = request.stickyTaskQueue ?? '';
  if (taskQueue !== '') {
    await context.store.tasks.unstick({ namespaceId, taskQueue });
    context.matching.look();
  }
  return {};
};

/** What it says of itself; one that says nothing is marked as shut down. */
function lastOf(
  { workerRegistry }: EngineContext,
  namespaceId: string,
  { workerHeartbeat, workerInstanceKey }: Parameters<Verb<'shutdownWorker'>>[1],
): WorkerHeartbeat[] {
  if (workerHeartbeat?.workerInstanceKey) return [workerHeartbeat];
  const known = workerRegistry.get(namespaceId, workerInstanceKey ?? '');
  return known ? [{ ...known, status: WorkerStatus.WORKER_STATUS_SHUTDOWN }] : [];
}
