import type { Scenario } from '../../test/engine-world.ts';

export function describeChildren(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
