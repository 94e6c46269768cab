import { expect, it } from 'vitest';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { StoreError } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { Namespaces } from './namespaces.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Namespaces over a memory store whose reads of them wait to be let through. */
async function heldBack() {
  const memory = new MemoryStore();
  await memory.open();
  const waiting: ((error?: Error) => void)[] = [];
  const list: Store['namespaces']['list'] = async () => {
    const rows = await memory.namespaces.list();
    await new Promise<void>((resolve, reject) => {
      waiting.push((error) => (error ? reject(error) : resolve()));
    });
    return rows;
  };
  const store = { namespaces: { ...memory.namespaces, list } } as unknown as Store;
  let uuids = 0;
  const random = { next: () => 0, uuid: () => `id-${(uuids += 1)}` };
  const namespaces = new Namespaces(store, random, 1_000);
  const letThrough = async (error?: Error) => {
    await settle();
    waiting.shift()?.(error);
    await settle();
  };
  const letLastThrough = async () => {
    await settle();
    waiting.pop()?.();
    await settle();
  };
  const registered = namespaces.register('shop', { retentionMs: 5_000 });
  await letThrough();
  expect(await registered).toBe(true);
  return { namespaces, letThrough, letLastThrough, memory };
}

it('A namespace stays known while namespaces are read again', async () => {
  const { namespaces, letThrough } = await heldBack();
  const read = namespaces.load();
  expect(namespaces.byId('id-1')?.name).toBe('shop');
  expect(namespaces.retentionMs('id-1')).toBe(5_000);
  await letThrough();
  await read;
  expect(namespaces.byId('id-1')?.name).toBe('shop');
});

it('A namespace stays known when namespaces cannot be read', async () => {
  const { namespaces, letThrough } = await heldBack();
  const read = namespaces.load();
  const refused = read.catch((error: unknown) => error);
  await letThrough(new StoreError('STORE_FAILED', 'no connection'));
  expect(await refused).toMatchObject({ code: 'STORE_FAILED' });
  expect(namespaces.byId('id-1')?.name).toBe('shop');
});

it('An earlier read of namespaces that answers late does not take back what is known', async () => {
  const { namespaces, letThrough, letLastThrough, memory } = await heldBack();
  const early = namespaces.load();
  await settle();
  await memory.namespaces.put({
    namespace: { namespaceId: 'id-2', name: 'yard', config: Buffer.from('{}'), version: 0 },
    expectedVersion: 0,
  });
  const late = namespaces.load();
  await letLastThrough();
  await late;
  await letThrough();
  await early;
  expect(namespaces.byId('id-2')?.name).toBe('yard');
});

it('A namespace that another process registered is found by its id', async () => {
  const { namespaces, letThrough, memory } = await heldBack();
  await memory.namespaces.put({
    namespace: { namespaceId: 'id-2', name: 'yard', config: Buffer.from('{}'), version: 0 },
    expectedVersion: 0,
  });
  expect(namespaces.byId('id-2')).toBeUndefined();
  const found = namespaces.find('id-2');
  await letThrough();
  expect((await found)?.name).toBe('yard');
});
