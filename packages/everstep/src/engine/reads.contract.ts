import type { Scenario } from '../../test/engine-world.ts';

export function describeReads(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
