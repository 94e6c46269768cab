/** The store that an option names. */
import { StoreError, type Store } from '../store/store.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { SqliteStore } from '../store/sqlite/sqlite-store.ts';

/** @throws StoreError STORE_URL_INVALID, STORE_NOT_BUILT. */
export function storeOf(store: string | Store): Store {
  if (typeof store === 'object' && store !== null) return checkedStore(store);
  if (store === 'memory') return new MemoryStore();
  if (typeof store === 'string' && store.startsWith('sqlite:')) {
    const [, path = '', mode] =
      /^sqlite:([^\0]+?)(?:\?synchronous=(full|normal))?$/i.exec(store) ?? [];
    const synchronous = mode?.toUpperCase() === 'NORMAL' ? 'NORMAL' : 'FULL';
    if (path !== '') return new SqliteStore({ path, synchronous });
  }
  const scheme = typeof store === 'string' ? /^([a-z]+):\/\//.exec(store)?.[1] : undefined;
  if (
    scheme === 'postgres' ||
    scheme === 'postgresql' ||
    scheme === 'mysql' ||
    scheme === 'mariadb'
  ) {
    const name = scheme.startsWith('postgres') ? 'PostgreSQL' : 'MySQL';
    throw new StoreError(
      'STORE_NOT_BUILT',
      `The ${name} store is not built yet. Use 'sqlite:<path>' or 'memory'.`,
    );
  }
  // The value is left out: a mistyped URL may hold a password.
  throw new StoreError(
    'STORE_URL_INVALID',
    `The store ${typeof store === 'string' ? 'URL' : `is a ${typeof store} and`} is not understood; expected 'memory', 'sqlite:<path>', or a store object.`,
  );
}

function checkedStore(store: Store): Store {
  const missing = (['open', 'close', 'commit'] as const).find(
    (method) => typeof store[method] !== 'function',
  );
  if (missing === undefined) return store;
  throw new StoreError(
    'STORE_URL_INVALID',
    `The store object has no method ${missing}(); expected a Store, 'memory' or 'sqlite:<path>'.`,
  );
}
