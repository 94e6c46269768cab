/** Clients that update: alone or with a start, the same update again, and what they were told once and again (11). */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { payloadsOf } from '../core-driver.ts';
import type { Caller, ClientWorld } from './caller.ts';
import { rawIds } from './raw-commands.ts';
import { startRequest } from './start-request.ts';

const enums = proto.temporal.api.enums.v1;
const { UpdateWorkflowExecutionLifecycleStage: Stage } = enums;
const namespace = 'default';
const useExisting = enums.WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;

type Reply = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse;

export class UpdateClients {
  readonly #world: ClientWorld;
  readonly #caller: Caller;
  /** What was reported of an update of a run. */
  readonly #outcomes = new Map<string, string>();

  constructor(world: ClientWorld, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  async act(): Promise<void> {
    const at = this.#world.chance.next();
    if (at < 0.5) await this.update();
    else if (at < 0.65) await this.#updateWithStart();
    else await this.#together();
  }

  /** More at once than a run takes in some worlds (UP-3). */
  async #together(): Promise<void> {
    const workflowId = this.#target();
    await Promise.all(
      Array.from({ length: this.#world.chance.whole(2, 4) }, () => this.update(workflowId)),
    );
  }

  #target(): string {
    const { chance, archive } = this.#world;
    const troubled = archive.troubled();
    if (troubled.length > 0 && chance.next() < 0.5) return chance.pick(troubled);
    const resting = archive.resting();
    if (resting.length > 0 && chance.next() < 0.6) return chance.pick(resting);
    return chance.next() < 0.3 ? `task-${chance.whole(0, 5)}` : rawIds(chance);
  }

  async update(workflowId = this.#target()): Promise<void> {
    const { chance, ledger, coverage } = this.#world;
    const intent = ledger.intend('update', workflowId);
    const at = chance.next();
    const lifecycleStage =
      at < 0.05
        ? Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
        : at < 0.25
          ? Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
          : Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
    const request = {
      namespace,
      workflowExecution: { workflowId },
      waitPolicy: { lifecycleStage },
      request: updateOf(intent.token),
    };
    const times = chance.next() < 0.3 ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      const reply = await this.#caller.patiently((service) =>
        service.updateWorkflowExecution(request),
      );
      if (!reply) return;
      if (this.#told(intent.token, reply)) {
        ledger.acknowledge(intent);
        coverage.hit(time === 0 ? 'UP-1' : 'UP-2');
      }
    }
    await this.#poll(intent.token, workflowId);
  }

  async #poll(updateId: string, workflowId: string): Promise<void> {
    const reply = await this.#caller.patiently((service) =>
      service.pollWorkflowExecutionUpdate({
        namespace,
        updateRef: { workflowExecution: { workflowId }, updateId },
        waitPolicy: {
          lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
        },
      }),
    );
    if (reply) this.#told(updateId, reply);
  }

  async #updateWithStart(): Promise<void> {
    const { chance, ledger, coverage } = this.#world;
    const workflowId = rawIds(chance);
    const start = ledger.intend('start', workflowId);
    const update = ledger.intend('update', workflowId);
    const startWorkflow = {
      ...startRequest(workflowId, chance),
      cronSchedule: '',
      workflowStartDelay: null,
      workflowIdConflictPolicy: useExisting,
      requestId: start.token,
      identity: start.token,
    };
    const reply = await this.#caller.patiently((service) =>
      service.executeMultiOperation({
        namespace,
        operations: [
          { startWorkflow },
          {
            updateWorkflow: {
              namespace,
              workflowExecution: { workflowId },
              waitPolicy: {
                lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
              },
              request: updateOf(update.token),
            },
          },
        ],
      }),
    );
    const [started, updated] = reply?.responses ?? [];
    if (started?.startWorkflow?.started === true) {
      ledger.acknowledge(start, started.startWorkflow.runId ?? '');
    }
    if (!updated?.updateWorkflow) return;
    coverage.hit('UP-8');
    if (this.#told(update.token, updated.updateWorkflow)) ledger.acknowledge(update);
  }

  /** 11: whether it is told that the update was accepted and done; what was told once is told again. */
  #told(updateId: string, { updateRef, outcome }: Reply): boolean {
    const data = outcome?.success?.payloads?.[0]?.data;
    const done = data !== undefined && data !== null;
    const failure = outcome?.failure?.applicationFailureInfo?.type;
    // A rejected update is forgotten, and may be asked again.
    if (!done && failure !== 'AcceptedUpdateCompletedWorkflow') return false;
    const told = done ? Buffer.from(data).toString() : String(failure);
    if (!done) this.#world.coverage.hit('UP-6');
    const key = `${updateRef?.workflowExecution?.runId}/${updateId}`;
    const before = this.#outcomes.get(key) ?? told;
    this.#outcomes.set(key, before);
    if (before !== told) {
      this.#world.violated({ invariant: 11, what: `${key} was ${before}, and now is ${told}` });
    }
    if (done && told !== JSON.stringify(updateId)) {
      this.#world.violated({ invariant: 11, what: `${key} was answered with ${told}` });
    }
    return done;
  }
}

function updateOf(token: string) {
  return {
    meta: { updateId: token, identity: 'client' },
    input: { name: 'add', args: payloadsOf(token) },
  };
}
