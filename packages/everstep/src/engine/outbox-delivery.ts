/**
 * Messages between runs: starting a child, telling a parent, signalling another run. A message is written with the
 * transition that made it and delivered right after; what its process could not deliver any more is found overdue
 * by whoever sweeps. Receivers dedupe, so delivering twice is harmless.
 */
import proto from '@temporalio/proto';
import type { OutboxMessage } from '../core/input.ts';
import type { Clock, Random, Timer } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import { isServiceError } from '../service/service-error.ts';
import type { Store } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { HistoryReader } from './history-reader.ts';
import type { LiveRun } from './unit.ts';
import type { Namespaces } from './namespaces.ts';
import { ChildDelivery } from './child-delivery.ts';
import { Messenger } from './messenger.ts';
import { decodeOutbox } from './outbox-codec.ts';
import { damagedRun } from './quarantine.ts';
import type { Quarantine } from './quarantine.ts';
import { ScheduleDelivery } from './schedule-delivery.ts';
import type { Starts } from './starts.ts';

const { CancelExternalWorkflowExecutionFailedCause, SignalExternalWorkflowExecutionFailedCause } =
  proto.temporal.api.enums.v1;

/** What a commit leaves undelivered for that long was left by a process that died. */
export const overdueMs = 5_000;
const retryMs = 1_000;
const batchMax = 200;

export interface OutboxDeliveryOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly starts: Starts;
  readonly history: HistoryReader;
  readonly namespaces: Namespaces;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly quarantine: Quarantine;
  readonly stepBatch: (run: LiveRun, step: number, outboxId: number) => Promise<void>;
}

export class OutboxDelivery {
  readonly #options: OutboxDeliveryOptions;
  readonly #messenger: Messenger;
  readonly #children: ChildDelivery;
  readonly #schedules: ScheduleDelivery;
  /** Messages that are being delivered, or never can be. */
  readonly #busy = new Map<number, Promise<void>>();
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: OutboxDeliveryOptions) {
    this.#options = options;
    this.#messenger = new Messenger(options);
    this.#children = new ChildDelivery(options, this.#messenger);
    this.#schedules = new ScheduleDelivery(options, this.#messenger);
  }

  stop(): void {
    this.#stopped = true;
  }

  deliver(run: LiveRun, message: OutboxMessage, outboxId: number): void {
    if (this.#busy.has(outboxId) || this.#stopped) return;
    this.#begin(run, message, outboxId).catch((error: unknown) => {
      if (this.#options.quarantine.takes(error)) return;
      this.#options.logger.warn('A message to another run could not be delivered; trying again', {
        ...run.key,
        message: message.kind,
        error,
      });
      this.#sweepLater();
    });
  }

  /** Once for all that failed meanwhile, as a sweep tries all of them. */
  #sweepLater(): void {
    if (this.#retry !== undefined) return;
    this.#retry = this.#options.clock.setTimer(retryMs, () => {
      this.#retry = undefined;
      void this.sweep(0);
    });
  }

  /**
   * Delivers what waits of a closed run that is about to be deleted: its messages go with it, and whoever they are for
   * would wait for ever (DL-1). Throws what a later try may not meet.
   */
  async empty(closed: LiveRun): Promise<void> {
    const { store, executor, quarantine, logger } = this.#options;
    const run = await executor.refresh(closed);
    if (run?.ref === undefined) return;
    for (const { outboxId, bytes } of await store.outbox.ofRun({ ref: run.ref })) {
      try {
        await (this.#busy.get(outboxId) ?? this.#begin(run, decodeOutbox(bytes), outboxId));
      } catch (error) {
        if (quarantine.takes(error)) continue;
        if (!isServiceError(error) || error.retryable) throw error;
        logger.warn('A message of a run that is deleted could not be delivered', {
          ...run.key,
          error,
        });
      }
    }
  }

  #begin(run: LiveRun, message: OutboxMessage, outboxId: number): Promise<void> {
    const done = this.#deliver(run, message, outboxId).then(
      () => {
        this.#busy.delete(outboxId);
      },
      (error: unknown) => {
        // Of a run that is damaged or for one: it stays busy, and is not tried again.
        if (damagedRun(error) === undefined) this.#busy.delete(outboxId);
        throw error;
      },
    );
    this.#busy.set(outboxId, done);
    return done;
  }

  /** Delivers what nobody delivered. */
  async sweep(olderThanMs = overdueMs): Promise<void> {
    const { store, executor, clock, logger, quarantine } = this.#options;
    if (this.#stopped) return;
    try {
      const rows = await store.outbox.overdue({
        createdBefore: clock.now() - olderThanMs,
        limit: batchMax,
      });
      for (const row of rows) {
        if (quarantine.has(row.ref)) continue;
        try {
          const found = await executor.locateByRef(row.ref, row.key.runId);
          // What is in memory may be older than the message, and not know of it.
          const run = found && (await executor.refresh(found));
          if (run) this.deliver(run, decodeOutbox(row.bytes), row.outboxId);
          else await store.outbox.delete({ outboxIds: [row.outboxId] });
        } catch (error) {
          if (!quarantine.takes(error)) throw error;
        }
      }
    } catch (error) {
      logger.error('The outbox could not be swept; trying again', { error });
    }
  }

  #deliver(run: LiveRun, message: OutboxMessage, outboxId: number): Promise<void> {
    switch (message.kind) {
      case 'startChild':
      case 'notifyParentOfStart':
      case 'confirmChild':
      case 'notifyParent':
      case 'closeChild':
        return this.#children.deliver(run, message, outboxId);
      case 'signalExternal':
        return this.#signalExternal(run, message.initiatedEventId, outboxId);
      case 'cancelExternal':
        return this.#cancelExternal(run, message.initiatedEventId, outboxId);
      case 'startScheduled':
      case 'endScheduled':
      case 'notifyScheduleOfStart':
      case 'notifySchedule':
        return this.#schedules.deliver(run, message, outboxId);
      case 'stepBatch':
        return this.#options.stepBatch(run, message.step, outboxId);
    }
  }

  async #signalExternal(run: LiveRun, initiatedEventId: number, outboxId: number): Promise<void> {
    const event = await this.#messenger.event(run, initiatedEventId);
    const attributes = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
    const state = await this.#messenger.state(run);
    const pending = state?.externalSignals.get(initiatedEventId);
    if (!attributes || !state || !pending) {
      await this.#messenger.forget(outboxId);
      return;
    }
    let failedCause: number | undefined;
    try {
      const target = await this.#target(pending, run);
      const submit = this.#submit(pending);
      if (target && target.key.workflowId !== run.key.workflowId) {
        await submit(target, {
          kind: 'signal',
          signalName: attributes.signalName ?? '',
          input: attributes.input ?? null,
          identity: 'history-service',
          requestId: pending.requestId,
          header: attributes.header ?? null,
          externalWorkflowExecution: { workflowId: state.workflowId, runId: state.runId },
          ...(attributes.childWorkflowOnly ? { childWorkflowOnly: true } : {}),
        });
      } else {
        failedCause =
          SignalExternalWorkflowExecutionFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
      }
    } catch (error) {
      if (isServiceError(error, 'NOT_FOUND')) {
        failedCause =
          SignalExternalWorkflowExecutionFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
      } else if (isServiceError(error, 'INVALID_ARGUMENT')) {
        failedCause =
          SignalExternalWorkflowExecutionFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
      } else {
        throw error;
      }
    }
    await this.#messenger.send(
      run.key,
      {
        kind: 'externalSignalResolved',
        initiatedEventId,
        ...(failedCause === undefined ? {} : { failedCause }),
      },
      outboxId,
    );
  }

  async #cancelExternal(run: LiveRun, initiatedEventId: number, outboxId: number): Promise<void> {
    const event = await this.#messenger.event(run, initiatedEventId);
    const attributes = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
    const state = await this.#messenger.state(run);
    const pending = state?.externalCancels.get(initiatedEventId);
    if (!attributes || !state || !pending) {
      await this.#messenger.forget(outboxId);
      return;
    }
    const notFound =
      CancelExternalWorkflowExecutionFailedCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
    let failedCause: number | undefined;
    try {
      const target = await this.#target(pending, run);
      const submit = this.#submit(pending);
      if (!target || target.key.workflowId === run.key.workflowId) {
        failedCause = notFound;
      } else if (target.latest && target.latest.closeTime === 0) {
        await submit(target, {
          kind: 'requestCancel',
          requestId: pending.requestId,
          identity: 'history-service',
          reason: attributes.reason ?? '',
          externalInitiatedEventId: initiatedEventId,
          externalWorkflowExecution: { workflowId: state.workflowId, runId: state.runId },
          ...(attributes.childWorkflowOnly ? { childWorkflowOnly: true } : {}),
        });
      }
      // SG-5: cancelling a closed target succeeds.
    } catch (error) {
      if (!isServiceError(error, 'NOT_FOUND')) throw error;
      failedCause = notFound;
    }
    await this.#messenger.send(
      run.key,
      {
        kind: 'externalCancelResolved',
        initiatedEventId,
        ...(failedCause === undefined ? {} : { failedCause }),
      },
      outboxId,
    );
  }

  /** A target without a run id is whatever run the workflow id has by then. */
  #submit(pending: { readonly runId: string }): Executor['submitToChain'] {
    const { executor } = this.#options;
    return (target, input) =>
      pending.runId ? executor.submitTo(target, input) : executor.submitToChain(target, input);
  }

  async #target(
    pending: { readonly namespaceId: string; readonly workflowId: string; readonly runId: string },
    run: LiveRun,
  ): Promise<LiveRun | undefined> {
    const { executor } = this.#options;
    const namespaceId = pending.namespaceId || run.key.namespaceId;
    return pending.runId
      ? executor.locate({ namespaceId, workflowId: pending.workflowId, runId: pending.runId })
      : executor.locateCurrent(namespaceId, pending.workflowId);
  }
}
