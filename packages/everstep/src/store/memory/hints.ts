import type { MemoryData } from './memory-data.ts';
import type { Store } from '../store.ts';

/** `self` stands for the store: it is not told of its own rings. */
export function memoryHints(data: MemoryData, self: object): Store['hints'] {
  let rung = false;
  return {
    ring: () => {
      if (rung) return;
      rung = true;
      queueMicrotask(() => {
        rung = false;
        for (const [store, listeners] of data.listeners) {
          if (store === self) continue;
          for (const listener of listeners) listener();
        }
      });
    },
    listen: (listener) => {
      const own = (): void => listener();
      const listeners = data.listeners.get(self) ?? new Set();
      data.listeners.set(self, listeners.add(own));
      return () => {
        listeners.delete(own);
        if (listeners.size === 0) data.listeners.delete(self);
      };
    },
  };
}
