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
import { describeUpdates } from './updates.contract.ts';
import { describeWorkers } from './workers.contract.ts';
import { describeWorkflowTasks } from './workflow-tasks.contract.ts';

/** `chosen`: only these subjects; all by default. */
export function describeEngine(
  name: string,
  makeFixture: () => StoreFixture,
  chosen?: readonly string[],
): void {
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
  const subject = (title: string, body: () => void): void => {
    if (chosen !== undefined && !chosen.includes(title)) return;
    // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- the subjects say them
    describe(title, body);
  };
  describe(`an engine over ${name}`, () => {
    subject('starts', () => {
      describeStarts(scenario);
    });
    subject('workflow tasks', () => {
      describeWorkflowTasks(scenario);
    });
    subject('activities', () => {
      describeActivities(scenario);
    });
    subject('pauses', () => {
      describePauses(scenario);
    });
    subject('deadlines', () => {
      describeDeadlines(scenario);
    });
    subject('chains', () => {
      describeChains(scenario);
    });
    subject('children', () => {
      describeChildren(scenario);
    });
    subject('signals and cancels of others', () => {
      describeExternals(scenario);
    });
    subject('queries', () => {
      describeQueries(scenario);
    });
    subject('history', () => {
      describeHistory(scenario);
    });
    subject('resets', () => {
      describeResets(scenario);
    });
    subject('reads', () => {
      describeReads(scenario);
    });
    subject('updates', () => {
      describeUpdates(scenario);
    });
    subject('schedules', () => {
      describeSchedules(scenario);
    });
    subject('search attributes', () => {
      describeSearchAttributes(scenario);
    });
    subject('batch operations', () => {
      describeBatches(scenario);
    });
    subject('workers', () => {
      describeWorkers(scenario);
    });
    subject('limits', () => {
      describeLimits(scenario);
    });
    subject('namespaces', () => {
      describeNamespaces(scenario);
    });
    subject('many processes', () => {
      describeManyProcesses(scenario);
      describeLeftRows(scenario);
    });
    subject('a store that fails', () => {
      describeFailingStore(scenario);
      describeDamagedRuns(scenario);
    });
    subject('requests of any kind', () => {
      describeHostileRequests(scenario);
    });
    subject('a worker of the process', () => {
      describeLocalWorker(scenario);
    });
  });
}
