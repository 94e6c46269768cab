/** Clients that operate: they pause runs and activities and let them go on, reset activities, and change options. */
import type { RunState } from '../../src/core/state.ts';
import { durationOf } from '../../src/core/time.ts';
import type { Caller, ClientWorld } from './caller.ts';
import type { RunRecord } from './run-record.ts';

const namespace = 'default';
/** Of the scripted workers' activities, as command-kit.ts has it. */
export const rawActivityType = 'Charge';

export class OperatorClients {
  readonly #world: ClientWorld;
  readonly #caller: Caller;

  constructor(world: ClientWorld, caller: Caller) {
    this.#world = world;
    this.#caller = caller;
  }

  async act(): Promise<void> {
    const { chance } = this.#world;
    const record = this.#target();
    if (!record) return;
    const at = chance.next();
    if (at < 0.1) await this.#changeRun(record);
    else if (at < 0.4) await this.#pauseRun(record);
    else await this.#operate(record);
  }

  /** Whatever stands still goes on. */
  async finish(): Promise<void> {
    for (const record of this.#world.archive.runs.values()) {
      const { state, closedAt, deleted } = record;
      if (!state || closedAt > 0 || deleted) continue;
      if (state.pause) await this.#unpauseRun(record);
      if ([...state.activities.values()].some(({ paused }) => paused)) {
        await this.#caller.patiently((service) =>
          service.unpauseActivity({ namespace, execution: record.key, unpauseAll: true }),
        );
      }
    }
  }

  /** One that stands still already, or has activities, is the more interesting. */
  #target(): RunRecord | undefined {
    const { chance, archive } = this.#world;
    const open = archive.openWorkflows();
    const busy = open.filter(({ state }) => state !== undefined && isBusy(state));
    if (busy.length > 0 && chance.next() < 0.8) return chance.pick(busy);
    return open.length === 0 ? undefined : chance.pick(open);
  }

  /** Some stand still for a while, and meanwhile much of the rest happens to them. */
  async #pauseRun(record: RunRecord): Promise<void> {
    const { chance, ledger, timeline } = this.#world;
    const { workflowId, runId } = record.key;
    const intent = ledger.intend('pause', workflowId);
    const done = await this.#caller.patiently(
      (service) =>
        service.pauseWorkflowExecution({
          namespace,
          workflowId,
          runId: chance.next() < 0.7 ? runId : '',
          identity: 'operator',
          reason: 'to look at it',
          requestId: intent.token,
        }),
      intent,
    );
    if (!done && chance.next() < 0.5) return;
    await timeline.wait(chance.whole(0, 6_000));
    if (chance.next() < 0.9) await this.#unpauseRun(record);
  }

  async #unpauseRun(record: RunRecord): Promise<void> {
    const { ledger } = this.#world;
    const { workflowId, runId } = record.key;
    const intent = ledger.intend('unpause', workflowId);
    await this.#caller.patiently(
      (service) =>
        service.unpauseWorkflowExecution({
          namespace,
          workflowId,
          runId,
          identity: 'operator',
          reason: 'seen',
          requestId: intent.token,
        }),
      intent,
    );
  }

  async #changeRun({ key }: RunRecord): Promise<void> {
    const { chance } = this.#world;
    await this.#caller.patiently((service) =>
      service.updateWorkflowExecutionOptions({
        namespace,
        workflowExecution: key,
        identity: 'operator',
        workflowExecutionOptions: { priority: { priorityKey: chance.whole(1, 5) } },
        updateMask: { paths: ['priority'] },
      }),
    );
  }

  async #operate({ key, state }: RunRecord): Promise<void> {
    const { chance, archive, timeline } = this.#world;
    const ids = [...(state?.activities.values() ?? [])].map(({ activityId }) => activityId);
    const at = chance.next();
    const which: { id?: string; type?: string } =
      ids.length > 0 && at < 0.6 ? { id: chance.pick(ids) } : { type: rawActivityType };
    const named = { namespace, execution: key, identity: 'operator', ...which };
    archive.operated(key.workflowId);
    const what = chance.next();
    if (what < 0.4) {
      await this.#caller.patiently((service) =>
        service.pauseActivity({ ...named, reason: 'to look at it' }),
      );
      await timeline.wait(chance.whole(0, 4_000));
      if (chance.next() < 0.6) return;
    }
    if (what < 0.6) {
      await this.#caller.patiently((service) =>
        service.unpauseActivity({
          ...named,
          resetAttempts: chance.next() < 0.4,
          resetHeartbeat: chance.next() < 0.3,
          ...(chance.next() < 0.3 ? { jitter: durationOf(chance.whole(0, 2_000)) } : {}),
        }),
      );
    } else if (what < 0.8) {
      await this.#caller.patiently((service) =>
        service.resetActivity({
          ...named,
          keepPaused: chance.next() < 0.5,
          resetHeartbeat: chance.next() < 0.3,
          restoreOriginalOptions: chance.next() < 0.3,
          ...(chance.next() < 0.3 ? { jitter: durationOf(chance.whole(0, 2_000)) } : {}),
        }),
      );
    } else {
      await this.#changeActivity(key.workflowId, named);
    }
  }

  async #changeActivity(workflowId: string, named: object): Promise<void> {
    const { chance, archive } = this.#world;
    if (chance.next() < 0.2) {
      await this.#caller.patiently((service) =>
        service.updateActivityOptions({ ...named, restoreOriginal: true }),
      );
      return;
    }
    const activityOptions = {
      startToCloseTimeout: durationOf(chance.whole(1_000, 12_000)),
      heartbeatTimeout: durationOf(chance.whole(800, 4_000)),
      retryPolicy: {
        initialInterval: durationOf(chance.whole(100, 3_000)),
        maximumAttempts: chance.whole(1, 5),
      },
    };
    archive.operated(workflowId, activityOptions.retryPolicy.maximumAttempts);
    const updateMask = { paths: maskOf(chance.whole(1, 7)) };
    await this.#caller.patiently((service) =>
      service.updateActivityOptions({ ...named, activityOptions, updateMask }),
    );
  }
}

function isBusy({ pause, activities }: RunState): boolean {
  return pause !== undefined || activities.size > 0;
}

/** Of the three, those whose bits are set. */
function maskOf(bits: number): string[] {
  const paths = ['start_to_close_timeout', 'heartbeatTimeout', 'retry_policy.maximum_attempts'];
  const named = paths.filter((_path, index) => (bits & (1 << index)) !== 0);
  return bits > 4 ? [...named, 'retryPolicy.initialInterval'] : named;
}
