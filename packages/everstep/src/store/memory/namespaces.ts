import { ownBytes } from './memory-data.ts';
import type { MemoryData } from './memory-data.ts';
import type { Store } from '../store.ts';

export function memoryNamespaces(data: MemoryData): Store['namespaces'] {
  return {
    list: async () => [...data.namespaces.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    put: async ({ namespace, expectedVersion }) => {
      const { namespaceId, name, config } = namespace;
      if ((data.namespaces.get(namespaceId)?.version ?? 0) !== expectedVersion) return false;
      for (const other of data.namespaces.values()) {
        if (other.name === name && other.namespaceId !== namespaceId) return false;
      }
      const version = expectedVersion + 1;
      data.namespaces.set(namespaceId, { namespaceId, name, version, config: ownBytes(config) });
      return true;
    },
    delete: async ({ namespaceId }) => {
      data.namespaces.delete(namespaceId);
    },
  };
}
