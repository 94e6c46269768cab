/** A store whose calls are counted and timed. */
import { StoreError, type Store } from '../store/store.ts';
import type { CallEnd } from './metrics.ts';

type Call = (...args: readonly unknown[]) => unknown;

/** Those that wait for the database; the rest of the store is passed through. */
const nouns: ReadonlySet<PropertyKey> = new Set([
  'runs',
  'history',
  'tasks',
  'outbox',
  'mail',
  'processes',
  'namespaces',
  'visibility',
] satisfies (keyof Store)[]);

export function measuredStore(store: Store, begin: (operation: string) => CallEnd): Store {
  const measured = (operation: string, call: Call): Call => {
    return async (...args) => {
      const end = begin(operation);
      try {
        const reply = await call(...args);
        end();
        return reply;
      } catch (error) {
        end(error instanceof StoreError ? error.code : 'UNKNOWN');
        throw error;
      }
    };
  };
  // A store may give its nouns anew once it is open.
  const known = new WeakMap<object, object>();
  const measuredNoun = (name: string, noun: object): object => {
    let calls = known.get(noun);
    if (!calls) {
      calls = Object.fromEntries(
        Object.entries(noun).map(([call, run]) => [
          call,
          measured(`${name}.${call}`, (run as Call).bind(noun)),
        ]),
      );
      known.set(noun, calls);
    }
    return calls;
  };
  const commit = measured('commit', store.commit.bind(store) as Call);
  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'commit') return commit;
      // The store itself is asked, so that it finds its private fields.
      const value: unknown = Reflect.get(target, key, target);
      if (nouns.has(key)) return measuredNoun(String(key), value as object);
      return typeof value === 'function' ? (value as Call).bind(target) : value;
    },
  });
}
