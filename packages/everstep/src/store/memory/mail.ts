import type { MemoryData } from './memory-data.ts';
import type { Store } from '../store.ts';

export function memoryMail(data: MemoryData): Store['mail'] {
  return {
    send: async ({ mail }) => {
      for (const { processId, bytes } of mail) {
        const letters = data.mail.get(processId);
        if (letters === undefined) data.mail.set(processId, [bytes.slice()]);
        else letters.push(bytes.slice());
      }
    },
    take: async ({ processId }) => {
      const letters = data.mail.get(processId) ?? [];
      data.mail.delete(processId);
      return letters;
    },
  };
}
