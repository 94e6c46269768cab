import type { Scenario } from '../../test/engine-world.ts';

export function describeResets(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
