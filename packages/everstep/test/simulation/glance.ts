/** What the model store answers to the one question of every second, as a database with several processes does. */
import type { MemoryData } from '../../src/store/memory/memory-data.ts';
import type { Glance, GlanceRequest, Store } from '../../src/store/store.ts';

type Asked = Pick<Store, 'processes' | 'runs' | 'namespaces'>;

/** All of it is of one moment. */
export async function glanceAt(
  data: MemoryData,
  store: Asked,
  { processId, heartbeatAt, queues, createdBefore }: GlanceRequest,
): Promise<Glance> {
  const hasTasks = queues.some(({ kind, namespaceId, taskQueue }) => {
    const taskIds = data.queues.get(`${kind}\0${namespaceId}\0${taskQueue}`)?.taskIds ?? [];
    return [...taskIds].some((taskId) => data.tasks.get(taskId)?.claimedBy === '');
  });
  const hasMail = (data.mail.get(processId)?.length ?? 0) > 0;
  const hasOverdue = [...data.outbox.values()].some(({ createdAt }) => createdAt < createdBefore);
  const [isAnnounced, processes, nextWakeAt, namespaces] = await Promise.all([
    heartbeatAt === undefined
      ? data.processes.has(processId)
      : store.processes.heartbeat({ processId, now: heartbeatAt }),
    store.processes.list(),
    store.runs.nextWakeAt(),
    store.namespaces.list(),
  ]);
  return {
    isAnnounced,
    processes,
    hasTasks,
    hasMail,
    hasOverdue,
    nextWakeAt,
    namespacesMark: namespaces
      .map(({ namespaceId, version }) => `${namespaceId} ${version}`)
      .join(','),
  };
}
