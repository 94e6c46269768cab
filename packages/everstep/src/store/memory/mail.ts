import type { MemoryData } from './memory-data.ts';
import type { Store } from '../store.ts';

export function memoryMail(data: MemoryData): Store['mail'] {
  return {
    take: async ({ processId }) => {
      const letters = data.mail.get(processId) ?? [];
      data.mail.delete(processId);
      return letters;
    },
  };
}
