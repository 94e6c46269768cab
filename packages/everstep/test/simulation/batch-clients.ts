/** Clients that start batch operations: on runs that they name, or on those of a query, each operation there is. */
import { durationOf } from '../../src/core/time.ts';
import { payloadsOf } from '../core-driver.ts';
import type { Caller, ClientWorld } from './caller.ts';
import { rawActivityType } from './operator-clients.ts';

const namespace = 'default';

export class BatchClients {
  readonly #world: ClientWorld;
  readonly #caller: Caller;

  constructor(world: ClientWorld, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  async act(): Promise<void> {
    const { chance, ledger, timeline, coverage } = this.#world;
    const jobId = chance.next() < 0.1 ? 'job-again' : ledger.token('job');
    const request = this.#request(jobId);
    const intent = ledger.intend('batch', jobId);
    const done = await this.#caller.patiently(
      (service) => service.startBatchOperation(request),
      intent,
    );
    if (!done) return;
    coverage.hit('batch');
    await timeline.wait(chance.whole(0, 1_500));
    if (chance.next() < 0.15) {
      await this.#caller.patiently((service) =>
        service.stopBatchOperation({ namespace, jobId, reason: 'enough' }),
      );
    }
    await this.#caller.once((service) => service.describeBatchOperation({ namespace, jobId }));
    await this.#caller.once((service) => service.listBatchOperations({ namespace, pageSize: 2 }));
  }

  #request(jobId: string) {
    const { chance } = this.#world;
    return {
      namespace,
      jobId,
      reason: 'many at once',
      ...(chance.next() < 0.4 ? { maxOperationsPerSecond: chance.whole(1, 4) } : {}),
      ...this.#targets(),
      ...this.#operation(),
    };
  }

  #targets() {
    const { chance, archive } = this.#world;
    const open = archive.openWorkflows();
    if (open.length === 0 || chance.next() < 0.4) {
      const visibilityQuery = chance.pick([
        "ExecutionStatus = 'Running'",
        "WorkflowType = 'Raw' AND ExecutionStatus = 'Running'",
        "WorkflowId STARTS_WITH 'task'",
      ]);
      return { visibilityQuery };
    }
    // A run that is named twice, with its run id and without, is done twice.
    const named = new Map<string, string>();
    for (let count = chance.whole(1, 4); count > 0; count -= 1) {
      const { workflowId, runId } = chance.pick(open).key;
      named.set(workflowId, chance.next() < 0.8 ? runId : '');
    }
    return { executions: [...named].map(([workflowId, runId]) => ({ workflowId, runId })) };
  }

  #operation() {
    const { chance, archive, ledger } = this.#world;
    const identity = 'operator';
    const at = chance.next();
    // The token is found again in the runs, once in each.
    if (at < 0.4) {
      const input = payloadsOf(ledger.token('signal'));
      return { signalOperation: { identity, signal: chance.pick(['go', 'stop']), input } };
    }
    if (at < 0.5) return { cancellationOperation: { identity } };
    if (at < 0.55) return { terminationOperation: { identity } };
    if (at < 0.6) return { deletionOperation: { identity } };
    if (at < 0.7) return { resetOperation: { identity, resetType: chance.whole(1, 2) } };
    if (at < 0.78) {
      return {
        updateWorkflowOptionsOperation: {
          identity,
          workflowExecutionOptions: { priority: { priorityKey: chance.whole(1, 5) } },
          updateMask: { paths: ['priority.priority_key'] },
        },
      };
    }
    archive.operated('*');
    const type = rawActivityType;
    if (at < 0.86) {
      const resetAttempts = chance.next() < 0.5;
      return chance.next() < 0.5
        ? { unpauseActivitiesOperation: { identity, type, resetAttempts } }
        : { unpauseActivitiesOperation: { identity, matchAll: true, resetAttempts } };
    }
    if (at < 0.93) {
      return {
        resetActivitiesOperation: { identity, matchAll: true, keepPaused: chance.next() < 0.5 },
      };
    }
    return {
      updateActivityOptionsOperation: {
        identity,
        type,
        activityOptions: { startToCloseTimeout: durationOf(chance.whole(1_000, 12_000)) },
        updateMask: { paths: ['startToCloseTimeout'] },
      },
    };
  }
}
