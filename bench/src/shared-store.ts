/**
 * A memory store that outlives its component, so that tasks submitted without a worker are there for the component
 * that has one. The package exports no such object; this reads it from the built files.
 */
import type { Store } from 'everstep';

interface MemoryModule {
  readonly MemoryStore: new () => Store;
}

export async function sharedMemoryStore(): Promise<Store> {
  const url = new URL('store/memory/memory-store.js', import.meta.resolve('everstep'));
  const { MemoryStore } = (await import(url.href)) as MemoryModule;
  const store = new MemoryStore();
  store.close = () => Promise.resolve();
  return store;
}
