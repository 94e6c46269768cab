import type { Scenario } from '../../test/engine-world.ts';

export function describeChains(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
