import type { Scenario } from '../../test/engine-world.ts';

export function describeExternals(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
