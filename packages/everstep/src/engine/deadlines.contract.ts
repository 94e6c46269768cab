import type { Scenario } from '../../test/engine-world.ts';

export function describeDeadlines(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
