import type { Scenario } from '../../test/engine-world.ts';

export function describeQueries(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
