import type { MemoryData, MemoryRun } from './memory-data.ts';
import { unpackBytes } from './packed-bytes.ts';
import type { Store, StoredRun } from '../store.ts';

export function memoryRuns(data: MemoryData): Store['runs'] {
  return {
    load: async ({ key }) => storedRunOf(data.find(key)),
    loadByRef: async ({ ref }) => storedRunOf(data.runs.get(ref)),
    loadCurrent: async ({ namespaceId, workflowId }) =>
      storedRunOf(currentOf(data, namespaceId, workflowId)),
    currentHead: async ({ namespaceId, workflowId }) => {
      const run = currentOf(data, namespaceId, workflowId);
      return run && { ref: run.ref, version: run.version };
    },
    heads: async ({ refs }) =>
      refs.flatMap((ref) => {
        const run = data.runs.get(ref);
        return run === undefined ? [] : [{ ref, version: run.version }];
      }),
    due: async ({ now, limit }) =>
      data.wakeUps.peek(now, limit).map(({ time, id }) => ({ ref: id, wakeAt: time })),
    nextWakeAt: async () => data.wakeUps.earliest(),
    heldBy: async ({ processId }) =>
      [...(data.held.get(processId) ?? []), ...(data.held.get('*') ?? [])].sort((a, b) => a - b),
    expired: async ({ now, limit }) =>
      data.expiries
        .peek(now, limit + data.outbox.size)
        .map(({ id }) => id)
        .filter((ref) => data.runs.get(ref)?.outboxIds === undefined)
        .slice(0, limit),
    delete: async ({ refs }) => {
      for (const ref of refs) data.deleteRun(ref);
    },
  };
}

function currentOf(
  data: MemoryData,
  namespaceId: string,
  workflowId: string,
): MemoryRun | undefined {
  return data.runs.get(data.runsOf.get(namespaceId)?.current.get(workflowId) ?? 0);
}

function storedRunOf(run: MemoryRun | undefined): StoredRun | undefined {
  if (run === undefined) return undefined;
  const { ref, key, version, operationToken, isCurrent, columns, state } = run;
  return { ref, key, version, operationToken, isCurrent, columns, state: unpackBytes(state) };
}
