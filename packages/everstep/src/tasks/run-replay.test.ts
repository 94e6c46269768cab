import { describe, expect, it } from 'vitest';
import { ReplayedRun } from '../../test/histories/replayed-run.ts';
import { all, race, signal, sleep } from './steps.ts';

const nothing = () => undefined;

describe('any order of events', () => {
  const seeds = Array.from({ length: 60 }, (_, seed) => seed);
  it.each(seeds)('is replayed as it was lived (seed %i)', async (seed) => {
    const random = seeded(seed);
    const run = new ReplayedRun(seed % 2 === 0 ? busyAsync : busyPlain);
    let open = await run.turn();
    const waiting = new Set<string>();
    for (
      let turn = 0;
      turn < 200 && !open.some((said) => /^(complete|fail)/.test(said));
      turn += 1
    ) {
      for (const said of open) {
        const [, kind, id] = /^(schedule|start timer|cancel timer) (.*)$/.exec(said) ?? [];
        if (kind === 'cancel timer') waiting.delete(`start timer ${id ?? ''}`);
        else if (id !== undefined) waiting.add(said);
      }
      open = await run.turn((history) => {
        const now = [...waiting].filter(() => random() < 0.4);
        for (const said of now) {
          waiting.delete(said);
          const id = said.replace(/^(schedule|start timer) /, '');
          if (said.startsWith('start timer')) history.timerFired(id);
          else if (random() < 0.2) history.stepFailed(id, 'broke');
          else history.stepCompleted(id, Math.floor(random() * 10));
        }
        if (random() < 0.4) history.signal('go', turn);
      });
    }
    expect(open[0]).toMatch(/^complete/);
    expect(await run.differences()).toEqual([]);
  });

  function* branch(name: string, log: unknown[]): Generator {
    for (let round = 0; round < 3; round += 1) {
      try {
        log.push(yield { key: name, call: nothing });
      } catch (error) {
        log.push((error as Error).message);
      }
      yield* sleep(10, { key: `${name} rests` });
    }
    return name;
  }

  function* busyPlain(): Generator {
    const log: unknown[] = [];
    const first = yield* race([branch('a', log), signal('go'), sleep(5)]);
    log.push(first.index);
    log.push(yield* all([branch('b', log), branch('c', log), signal('go')]));
    log.push((yield* race([branch('d', log), branch('e', log)])).index);
    return log;
  }

  async function* busyAsync() {
    const log: unknown[] = [];
    async function* slowly(name: string) {
      await Promise.resolve();
      const value = yield* branch(name, log);
      await Promise.resolve();
      log.push(`${name} ended`);
      return value;
    }
    const first = yield* race([slowly('a'), signal('go'), sleep(5)]);
    log.push(first.index);
    log.push(yield* all([slowly('b'), branch('c', log), slowly('f')]));
    log.push((yield* race([slowly('d'), branch('e', log)])).index);
    return log;
  }
});

/** A small generator of chance that a seed repeats (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
