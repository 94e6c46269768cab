import type { MemoryData } from './memory-data.ts';
import type { Store } from '../store.ts';

export function memoryProcesses(data: MemoryData): Store['processes'] {
  return {
    announce: async ({ process }) => {
      data.processes.set(process.processId, process);
    },
    heartbeat: async ({ processId, now }) => {
      const process = data.processes.get(processId);
      if (process === undefined) return false;
      data.processes.set(processId, { ...process, heartbeatAt: now });
      return true;
    },
    list: async () =>
      [...data.processes.values()].sort(
        (a, b) => a.startedAt - b.startedAt || (a.processId < b.processId ? -1 : 1),
      ),
    remove: async ({ processId }) => {
      data.processes.delete(processId);
      data.mail.delete(processId);
    },
  };
}
