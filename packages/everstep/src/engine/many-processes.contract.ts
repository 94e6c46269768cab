import type { Scenario } from '../../test/engine-world.ts';

export function describeManyProcesses(scenario: Scenario): void {
  scenario('x', () => Promise.resolve());
}
