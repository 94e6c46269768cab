import type { Scenario } from '../../test/engine-world.ts';

export function describeFailingStore(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
