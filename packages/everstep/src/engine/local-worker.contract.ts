import type { Scenario } from '../../test/engine-world.ts';

export function describeLocalWorker(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
