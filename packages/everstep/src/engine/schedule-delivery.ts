/**
 * Messages between schedules and the workflows they start: the start itself, the end that an overlap policy wants,
 * and the news that a chain has ended. Delivered at least once; an action is known by its id along the whole chain,
 * so that a start delivered again finds what it has started (SC-1).
 */
import { scheduledStart } from '../core/schedule/scheduled-start.ts';
import type { ScheduleMessage } from '../core/schedule/schedule-input.ts';
import { isOpen } from '../core/state.ts';
import type { RunState } from '../core/state.ts';
import type { Random } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import { isServiceError } from '../service/service-error.ts';
import type { Executor } from './executor.ts';
import type { Messenger } from './messenger.ts';
import type { Namespaces } from './namespaces.ts';
import type { Starts } from './starts.ts';
import type { LiveRun } from './unit.ts';

export interface ScheduleDeliveryOptions {
  readonly executor: Executor;
  readonly starts: Starts;
  readonly namespaces: Namespaces;
  readonly random: Random;
  readonly logger: Logger;
}

export class ScheduleDelivery {
  readonly #options: ScheduleDeliveryOptions;
  readonly #messenger: Messenger;

  constructor(options: ScheduleDeliveryOptions, messenger: Messenger) {
    this.#options = options;
    this.#messenger = messenger;
  }

  async deliver(run: LiveRun, message: ScheduleMessage, outboxId: number): Promise<void> {
    const state = await this.#messenger.state(run);
    switch (message.kind) {
      case 'startScheduled':
        return this.#start(run, state, message.actionId, outboxId);
      case 'endScheduled':
        return this.#end(state, message, outboxId);
      case 'notifyScheduleOfStart':
        return this.#notifyOfStart(state, outboxId);
      case 'notifySchedule':
        return this.#notify(run, state, outboxId);
    }
  }

  async #start(
    run: LiveRun,
    state: RunState | undefined,
    actionId: number,
    outboxId: number,
  ): Promise<void> {
    const action = state?.schedule?.starting.find((starting) => starting.actionId === actionId);
    if (!state?.schedule || !action || !isOpen(state)) return this.#messenger.forget(outboxId);
    const { starts, random, logger } = this.#options;
    const { namespaceId } = state.schedule;
    const { namespace, workflowId: scheduleId, runId } = state;
    const startedRunId = random.uuid();
    const message = { outboxId, waits: () => this.#messenger.waits(run, outboxId) };
    try {
      const outcome = await starts.startFor(message, {
        kind: 'start',
        namespaceId,
        namespace,
        runId: startedRunId,
        scheduledBy: { namespaceId: state.namespaceId, workflowId: scheduleId, runId, actionId },
        request: scheduledStart({ scheduleId, runId, namespace }, state.schedule, action),
      });
      if (!outcome || outcome.runId === startedRunId) return;
      // Another delivery has started it.
      const told = { kind: 'scheduledStarted', actionId, runId: outcome.runId } as const;
      await this.#messenger.send(state, told, outboxId);
    } catch (error) {
      if (!isServiceError(error) || error.retryable) throw error;
      if (!(await message.waits())) return;
      logger.warn('A schedule could not start its workflow; that time is passed over', {
        scheduleId,
        workflowId: action.workflowId,
        error,
      });
      await this.#messenger.send(state, { kind: 'scheduledStarted', actionId }, outboxId);
    }
  }

  async #notifyOfStart(state: RunState | undefined, outboxId: number): Promise<void> {
    const by = state?.scheduledBy;
    if (!state || !by) return this.#messenger.forget(outboxId);
    const { actionId } = by;
    const told = { kind: 'scheduledStarted', actionId, runId: state.runId } as const;
    await this.#messenger.send(by, told, outboxId);
  }

  async #chainOf(
    schedule: RunState,
    { actionId, workflowId }: { readonly actionId: number; readonly workflowId: string },
  ): Promise<LiveRun | undefined> {
    const namespaceId = schedule.schedule?.namespaceId ?? '';
    const run = await this.#options.executor.locateCurrent(namespaceId, workflowId);
    const by = run?.state?.scheduledBy;
    return by?.runId === schedule.runId && by.actionId === actionId ? run : undefined;
  }

  async #end(
    state: RunState | undefined,
    message: Extract<ScheduleMessage, { readonly kind: 'endScheduled' }>,
    outboxId: number,
  ): Promise<void> {
    const run = state && (await this.#chainOf(state, message));
    if (!state || !run?.latest || !isOpen(run.latest)) return this.#messenger.forget(outboxId);
    const identity = `temporal-scheduler-${state.namespace}-${state.workflowId}`;
    const by = `by schedule overlap policy`;
    await this.#messenger.send(
      run.key,
      message.how === 'terminate'
        ? { kind: 'terminate', reason: `terminated ${by}`, identity }
        : {
            kind: 'requestCancel',
            reason: `cancelled ${by}`,
            identity,
            requestId: `${state.runId}:${message.actionId}:cancel`,
          },
      outboxId,
    );
  }

  async #notify(run: LiveRun, state: RunState | undefined, outboxId: number): Promise<void> {
    const by = state?.scheduledBy;
    if (!state || !by) return this.#messenger.forget(outboxId);
    const closeEvent = await this.#messenger.event(run, state.nextEventId - 1);
    await this.#messenger.send(
      by,
      {
        kind: 'scheduledClosed',
        actionId: by.actionId,
        workflowId: state.workflowId,
        firstRunId: state.firstRunId,
        closeEvent,
      },
      outboxId,
    );
  }
}
