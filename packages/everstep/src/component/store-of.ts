/** The store that an option names. */
import { openStore } from '../store/open-store.ts';
import { StoreError, type Store } from '../store/store.ts';

/** @throws StoreError STORE_URL_INVALID, STORE_NOT_BUILT. */
export function storeOf(store: string | Store): Store {
  if (typeof store === 'string') return openStore(store);
  const missing = (['open', 'close', 'commit'] as const).find(
    (method) => typeof (store as Partial<Store> | null)?.[method] !== 'function',
  );
  if (missing === undefined) return store;
  throw new StoreError(
    'STORE_URL_INVALID',
    `The store is ${store === null ? 'null' : `a ${typeof store} without a method ${missing}()`}; expected 'memory', 'sqlite:<path>', or a store object.`,
  );
}
