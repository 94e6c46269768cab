import type { Scenario } from '../../test/engine-world.ts';

export function describeHistory(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
