/** What many worlds together have shown; plain data, so that one process can send it to another. */
import type { Violation } from './archive.ts';
import type { WorldReport } from './world.ts';

const summed = ['virtualMs', 'commits', 'events', 'runs', 'acknowledged'] as const;

export interface FailedSeed {
  readonly seed: number;
  readonly faults: readonly string[];
  readonly violations: readonly Violation[];
}

export interface Tally {
  seeds: number;
  readonly sums: Record<(typeof summed)[number], number>;
  readonly faults: Record<string, number>;
  /** How often each rule was at work. */
  readonly rules: Record<string, number>;
  readonly failed: FailedSeed[];
  cpuMs: number;
}

export function emptyTally(): Tally {
  return {
    seeds: 0,
    sums: { virtualMs: 0, commits: 0, events: 0, runs: 0, acknowledged: 0 },
    faults: {},
    rules: {},
    failed: [],
    cpuMs: 0,
  };
}

export function count(tally: Tally, report: WorldReport): void {
  const { seed, violations, faults } = report;
  tally.seeds += 1;
  for (const sum of summed) tally.sums[sum] += report[sum];
  addAll(tally.faults, faults);
  if (violations.length > 0) tally.failed.push({ seed, faults: [...faults.keys()], violations });
}

export function merge(into: Tally, other: Tally): void {
  into.seeds += other.seeds;
  into.cpuMs += other.cpuMs;
  for (const sum of summed) into.sums[sum] += other.sums[sum];
  addAll(into.faults, Object.entries(other.faults));
  addAll(into.rules, Object.entries(other.rules));
  into.failed.push(...other.failed);
}

export function addAll(
  counts: Record<string, number>,
  more: Iterable<readonly [string, number]>,
): void {
  for (const [name, times] of more) counts[name] = (counts[name] ?? 0) + times;
}
