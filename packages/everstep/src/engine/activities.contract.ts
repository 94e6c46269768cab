import type { Scenario } from '../../test/engine-world.ts';

export function describeActivities(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
