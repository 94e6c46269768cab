/**
 * What an engine promises over any store, through the service's calls alone, with a clock that stands still until
 * the test moves it. Every store runs it; the id that ends a title is the rule of execution-core.md it proves.
 */
import { describe, it } from 'vitest';
import { World } from '../../test/engine-world.ts';
import type { Scenario } from '../../test/engine-world.ts';
import type { StoreFixture } from '../store/store-fixture.contract.ts';
import { describeActivities } from './activities.contract.ts';
import { describeBatches } from './batches.contract.ts';
import { describeChains } from './chains.contract.ts';
import { describeChildren } from './children.contract.ts';
import { describeDeadlines } from './deadlines.contract.ts';
import { describeExternals } from './externals.contract.ts';
import { describeDamagedRuns } from './damaged-runs.contract.ts';
import { describeFailingStore } from './failing-store.contract.ts';
import { describeHistory } from './history.contract.ts';
import { describeHostileRequests } from './hostile-requests.contract.ts';
import { describeLimits } from './limits.contract.ts';
import { describeLeftRows } from './left-rows.contract.ts';
import { describeLocalWorker } from './local-worker.contract.ts';
import { describeManyProcesses } from './many-processes.contract.ts';
import { describeNamespaces } from './namespaces.contract.ts';
import { describePauses } from './pauses.contract.ts';
import { describeQueries } from './queries.contract.ts';
import { describeReads } from './reads.contract.ts';
import { describeResets } from './resets.contract.ts';
import { describeSchedules } from './schedules.contract.ts';
import { describeSearchAttributes } from './search-attributes.contract.ts';
import { describeStarts } from './starts.contract.ts';
import { describeSpeculativeTasks } from './speculative-tasks.contract.ts';
import { describeUpdates } from './updates.contract.ts';
import { describeWorkers } from './workers.contract.ts';
import { describeWorkflowTasks } from './workflow-tasks.contract.ts';

export function describeEngine(name: string, makeFixture: () => StoreFixture): void {
  const scenario: Scenario = (title, body, options) => {
    // oxlint-disable-next-line vitest/valid-title, vitest/expect-expect -- the subjects' files say them
    it(title, async () => {
      const world = new World(makeFixture());
      try {
        await body(await world.host(options), world);
        world.check();
      } finally {
        await world.close();
      }
    });
  };
  describe(`an engine over ${name}`, () => {
    describe('starts', () => {
      describeStarts(scenario);
    });
    describe('workflow tasks', () => {
      describeWorkflowTasks(scenario);
    });
    describe('activities', () => {
      describeActivities(scenario);
    });
    describe('pauses', () => {
      describePauses(scenario);
    });
    describe('deadlines', () => {
      describeDeadlines(scenario);
    });
    describe('chains', () => {
      describeChains(scenario);
    });
    describe('children', () => {
      describeChildren(scenario);
    });
    describe('signals and cancels of others', () => {
      describeExternals(scenario);
    });
    describe('queries', () => {
      describeQueries(scenario);
    });
    describe('history', () => {
      describeHistory(scenario);
    });
    describe('resets', () => {
      describeResets(scenario);
    });
    describe('reads', () => {
      describeReads(scenario);
    });
    describe('updates', () => {
      describeUpdates(scenario);
      describeSpeculativeTasks(scenario);
    });
    describe('schedules', () => {
      describeSchedules(scenario);
    });
    describe('search attributes', () => {
      describeSearchAttributes(scenario);
    });
    describe('batch operations', () => {
      describeBatches(scenario);
    });
    describe('workers', () => {
      describeWorkers(scenario);
    });
    describe('limits', () => {
      describeLimits(scenario);
    });
    describe('namespaces', () => {
      describeNamespaces(scenario);
    });
    describe('many processes', () => {
      describeManyProcesses(scenario);
      describeLeftRows(scenario);
    });
    describe('a store that fails', () => {
      describeFailingStore(scenario);
      describeDamagedRuns(scenario);
    });
    describe('requests of any kind', () => {
      describeHostileRequests(scenario);
    });
    describe('a worker of the process', () => {
      describeLocalWorker(scenario);
    });
  });
}
