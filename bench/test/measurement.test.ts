import { expect, it } from 'vitest';
import { isChosen, measurements, titleOf, type Choice } from '../src/measurement.ts';

const titles = (choice: Choice): string[] =>
  measurements(10_000)
    .filter((measurement) => isChosen(measurement, choice))
    .map((measurement) => `${measurement.store} ${titleOf(measurement)}`);

it('measures each work on SQLite in one process and in two', () => {
  expect(titles({ store: 'sqlite' })).toHaveLength(13);
  expect(titles({ only: /sqlite backlog/ })).toEqual([
    'sqlite backlog',
    'sqlite backlog, two processes',
  ]);
});

it('measures in memory what one process can show', () => {
  expect(titles({ store: 'memory' })).toEqual([
    'memory one-step',
    'memory five-step',
    'memory one after another',
    'memory backlog',
    'memory idle',
  ]);
});

it('measures PostgreSQL when it is asked for, with one process and with several that are alike', () => {
  expect(titles({}).filter((title) => title.startsWith('postgres'))).toEqual([]);
  expect(titles({ store: 'postgres', only: /one-step|alone|write/ })).toEqual([
    'postgres PostgreSQL alone',
    'postgres write path',
    'postgres one-step',
    'postgres one-step, 2 alike',
    'postgres one-step, 4 alike',
  ]);
});

it('has a backlog of 100,000 and 1,000 resumed runs for 10,000 tasks', () => {
  const amounts = new Map(measurements(10_000).map(({ work, n }) => [work, n]));
  expect(Object.fromEntries(amounts)).toEqual({
    'SQLite alone': 50_000,
    'PostgreSQL alone': 50_000,
    'write path': 50_000,
    'one-step': 10_000,
    'five-step': 2_000,
    'one after another': 2_000,
    backlog: 100_000,
    'resumed after a kill': 1_000,
    idle: 10,
    crowded: 10_000,
  });
});

it('runs what takes very long only when it is asked for by name', () => {
  expect(titles({ only: /crowded/ })).toEqual(['sqlite crowded', 'memory crowded']);
  expect(titles({ only: /sqlite/ })).not.toContain('sqlite crowded');
});
