/**
 * What one process hears of workers it tells the others on the store, as mail, so that any of them lists all workers.
 * A letter that is lost is made good by the next heartbeat, and so is what a process missed before it came.
 */
import proto from '@temporalio/proto';
import type { EngineContext } from './context.ts';
import { encodeMail, type Mail } from './mail.ts';
import type { WorkerHeartbeat, WorkerRegistry } from './worker-registry.ts';

const { RecordWorkerHeartbeatRequest } = proto.temporal.api.workflowservice.v1;

/** Notes them here, and tells the others. */
export async function recordHeartbeats(
  { workerRegistry, processes, store }: EngineContext,
  namespaceId: string,
  workerHeartbeat: readonly WorkerHeartbeat[],
): Promise<void> {
  for (const heartbeat of workerHeartbeat) workerRegistry.record(namespaceId, heartbeat);
  if (workerHeartbeat.length === 0 || processes.others.length === 0) return;
  const told = RecordWorkerHeartbeatRequest.encode({ workerHeartbeat: [...workerHeartbeat] });
  const bytes = encodeMail({
    kind: 'workers',
    namespaceId,
    heartbeats: Buffer.from(told.finish()).toString('base64'),
  });
  await store.mail.send({
    mail: processes.others.map(({ processId }) => ({ processId, bytes })),
  });
  store.hints.ring();
}

/** Notes what another process tells. */
export function hearOfWorkers(
  workerRegistry: WorkerRegistry,
  { namespaceId, heartbeats }: Extract<Mail, { kind: 'workers' }>,
): void {
  const told = RecordWorkerHeartbeatRequest.decode(Buffer.from(heartbeats, 'base64'));
  for (const heartbeat of told.workerHeartbeat) workerRegistry.record(namespaceId, heartbeat);
}
