import { expect, it } from 'vitest';
import { SeenPollers } from './seen-pollers.ts';

const seen = (pollers: SeenPollers, now: number): string[] =>
  pollers.list(now).map(({ identity }) => identity);

it('lists each poller of the last five minutes once, the latest first', () => {
  const pollers = new SeenPollers();
  for (const [at, identity] of [
    [0, 'a'],
    [1_000, 'b'],
    [2_000, 'a'],
  ] as const) {
    pollers.note({ identity, at, ratePerSecond: 10 });
  }
  expect(pollers.list(2_000)).toEqual([
    { identity: 'a', at: 2_000, ratePerSecond: 10 },
    { identity: 'b', at: 1_000, ratePerSecond: 10 },
  ]);
  expect(seen(pollers, 300_999)).toEqual(['a', 'b']);
  expect(seen(pollers, 301_000)).toEqual(['a']);
});

it('forgets the oldest of more than a thousand, so that callers cannot fill it', () => {
  const pollers = new SeenPollers();
  for (let at = 0; at < 1_500; at += 1) pollers.note({ identity: `${at}`, at, ratePerSecond: 1 });
  expect(seen(pollers, 1_500)).toHaveLength(1_000);
  expect(seen(pollers, 1_500).at(-1)).toBe('500');
});
