import { expect, it } from 'vitest';
import { rowOf, summary } from '../src/peers/comparison.ts';
import { everstepOn, peers, type Contender } from '../src/peers/contenders.ts';
import { readPeerFlags } from '../src/peers/flags.ts';
import { jsonPeerReporter, tablePeerReporter } from '../src/peers/peer-reporter.ts';

const peer = (title: string, durable = true): Contender => ({
  ...everstepOn.sqlite,
  title,
  durable,
});
const rate = (perSecond: number) => ({ n: 100, perSecond, cpuMsPerUnit: 1 });
const latency = (p50Ms: number) => ({ ...rate(1000 / p50Ms), p50Ms, p99Ms: 3 * p50Ms });

it('says how many times faster Everstep is: by the rates, or one after another by the p50', () => {
  expect(rowOf(peer('A'), 'one-step', rate(400), rate(2000)).everstepTimes).toBe(5);
  expect(rowOf(peer('A'), 'one after another', latency(0.5), latency(0.25)).everstepTimes).toBe(2);
});

it('sums up with the closest durable peer and the closest that is not', () => {
  const rows = [
    rowOf(peer('slow'), 'one-step', rate(100), rate(2000)),
    rowOf(peer('fast'), 'one-step', rate(400), rate(2000)),
    rowOf(peer('in memory', false), 'one-step', rate(4000), rate(2000)),
  ];
  expect(summary('one-step', rows)).toEqual([
    "one-step: Everstep's rate is 5.00 × that of the best durable peer, fast",
    "one-step: Everstep's rate is 0.50 × that of the best peer that is not durable, in memory",
  ]);
  expect(summary('one-step', [])).toEqual([]);
});

it('leaves the steps out where an engine has none', () => {
  const queues = peers.filter(({ works }) => !works.includes('five-step'));
  expect(new Set(queues.map(({ engine }) => engine))).toEqual(
    new Set(['graphile-worker', 'bullmq']),
  );
});

it('pins every package to an exact version', () => {
  const versions = peers.flatMap(({ packages }) => Object.values(packages));
  expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

it('reads every flag, and refuses what it cannot read with the reason', () => {
  const usual = { n: 10_000, only: undefined, store: 'sqlite', json: false, help: false };
  expect(readPeerFlags([])).toEqual(usual);
  expect(readPeerFlags(['--n=500', '--only', 'DBOS', '--store=postgres', '--json'])).toEqual({
    n: 500,
    only: /DBOS/,
    store: 'postgres',
    json: true,
    help: false,
  });
  expect(() => readPeerFlags(['--n', '99'])).toThrow('--n takes a whole number from 100');
  expect(() => readPeerFlags(['--store', 'memory'])).toThrow('--store');
});

it('writes a row as one line, and names what was skipped with the reason', () => {
  const row = rowOf(peer('A'), 'one after another', latency(0.5), latency(0.25));
  expect(JSON.parse(jsonPeerReporter.line(row))).toEqual(row);
  expect(tablePeerReporter.line(row).trim().split(/ {2,}/)).toEqual([
    'one after another',
    'A',
    '100',
    '2,000',
    '0.50',
    '1.50',
    '1.000',
    '2.00 ×',
  ]);
  expect(tablePeerReporter.skipped('A', 'no server')).toBe('skipped: A: no server');
});
