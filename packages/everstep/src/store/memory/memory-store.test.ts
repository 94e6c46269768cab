import { describe, expect, it } from 'vitest';
import { describeStore } from '../store.contract.ts';
import { keyOf, start } from '../store-fixture.contract.ts';
import { MemoryData } from './memory-data.ts';
import { MemoryStore } from './memory-store.ts';

describeStore('memory', () => {
  const data = new MemoryData();
  // The data outlives its handles as long as somebody holds it.
  return { handle: () => new MemoryStore({ data }), durable: true, clean: () => undefined };
});

describe('memory', () => {
  it('is empty for each store that shares nothing', async () => {
    const [one, two] = [new MemoryStore(), new MemoryStore()];
    await one.open();
    await two.open();
    await start(one, keyOf('a'));
    expect(await two.runs.load({ key: keyOf('a') })).toBeUndefined();
  });

  it('rings after the current turn, once for many rings, and not itself', async () => {
    const data = new MemoryData();
    const [one, two] = [new MemoryStore({ data }), new MemoryStore({ data })];
    await one.open();
    await two.open();
    const heard: string[] = [];
    one.hints.listen(() => heard.push('one'));
    two.hints.listen(() => heard.push('two'));
    one.hints.ring();
    one.hints.ring();
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual(['two']);
  });
});
