/**
 * Messages between runs: starting a child, telling a parent, signalling another run. A message is written with the
 * transition that made it and delivered right after; what its process could not deliver any more is found overdue
 * by whoever sweeps. Receivers dedupe, so delivering twice is harmless.
 */
import proto from '@temporalio/proto';
import type { Header, HistoryEvent } from '../core/proto.ts';
import type { OutboxMessage } from '../core/input.ts';
import type { ChildInfo, RunState } from '../core/state.ts';
import type { Clock, Random } from '../service/clock.ts';
import type { Logger } from '../service/logger.ts';
import { isServiceError } from '../service/service-error.ts';
import type { RunKey, Store } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { HistoryReader } from './history-reader.ts';
import type { LiveRun } from './unit.ts';
import type { Namespaces } from './namespaces.ts';
import { decodeOutbox } from './outbox-codec.ts';
import { damagedRun } from './quarantine.ts';
import type { Quarantine } from './quarantine.ts';
import { ScheduleDelivery } from './schedule-delivery.ts';
import type { Starts } from './starts.ts';

const {
  CancelExternalWorkflowExecutionFailedCause,
  ParentClosePolicy,
  SignalExternalWorkflowExecutionFailedCause,
} = proto.temporal.api.enums.v1;

/** What a commit leaves undelivered for that long was left by a process that died. */
const overdueMs = 5_000;
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
  readonly #schedules: ScheduleDelivery;
  /** Messages that are being delivered, or never can be. */
  readonly #busy = new Map<number, Promise<void>>();
  #stopped = false;

  constructor(options: OutboxDeliveryOptions) {
    this.#options = options;
    this.#schedules = new ScheduleDelivery(options);
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
      this.#options.clock.setTimer(retryMs, () => {
        void this.sweep(0);
      });
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
        return this.#startChild(run, message.initiatedEventId, outboxId);
      case 'confirmChild':
        return this.#send(message, { kind: 'scheduleFirstWorkflowTask' }, outboxId);
      case 'signalExternal':
        return this.#signalExternal(run, message.initiatedEventId, outboxId);
      case 'cancelExternal':
        return this.#cancelExternal(run, message.initiatedEventId, outboxId);
      case 'notifyParent':
        return this.#notifyParent(run, outboxId);
      case 'closeChild':
        return this.#closeChild(run, message, outboxId);
      case 'startScheduled':
      case 'endScheduled':
      case 'notifySchedule':
        return this.#schedules.deliver(run, message, outboxId);
      case 'stepBatch':
        return this.#options.stepBatch(run, message.step, outboxId);
    }
  }

  /** Sends an input to another run; one that is gone, closed, or refuses it needs it no more. */
  async #send(
    target: { readonly namespaceId: string; readonly workflowId: string; readonly runId: string },
    input: Parameters<Executor['submit']>[1],
    outboxId: number,
  ): Promise<void> {
    const { executor, store } = this.#options;
    const key: RunKey = {
      namespaceId: target.namespaceId,
      workflowId: target.workflowId,
      runId: target.runId,
    };
    try {
      await executor.submit(key, input as never, { doneOutbox: outboxId });
    } catch (error) {
      if (!isServiceError(error) || error.retryable) throw error;
      await store.outbox.delete({ outboxIds: [outboxId] });
    }
  }

  async #startChild(run: LiveRun, initiatedEventId: number, outboxId: number): Promise<void> {
    const { starts, random, namespaces, executor } = this.#options;
    const event = await this.#event(run, initiatedEventId);
    const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes;
    const parent = await this.#state(run);
    const child = parent?.children.get(initiatedEventId);
    const abandoned =
      attributes?.parentClosePolicy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON;
    // A child whose parent closed first is not started any more, unless it was to be left alone.
    if (!attributes || !parent || !child || (parent.closeTime !== 0 && !abandoned)) {
      if (child) await this.#closeStarted(run, event, child);
      await this.#options.store.outbox.delete({ outboxIds: [outboxId] });
      return;
    }
    const namespace =
      namespaces.byId(child.namespaceId) ??
      (await namespaces.get(child.namespace).catch(() => undefined));
    if (!namespace) {
      await this.#send(
        run.key,
        { kind: 'childStartFailed', initiatedEventId, cause: 'NAMESPACE_NOT_FOUND' },
        outboxId,
      );
      return;
    }
    let childRunId: string;
    try {
      const outcome = await starts.start({
        kind: 'start',
        namespaceId: namespace.namespaceId,
        namespace: namespace.name,
        runId: random.uuid(),
        waitForParent: true,
        parent: {
          namespaceId: parent.namespaceId,
          namespace: parent.namespace,
          workflowId: parent.workflowId,
          runId: parent.runId,
          initiatedEventId,
        },
        root: parent.root,
        request: {
          namespace: namespace.name,
          workflowId: attributes.workflowId ?? '',
          workflowType: attributes.workflowType ?? null,
          taskQueue: attributes.taskQueue ?? null,
          input: attributes.input ?? null,
          workflowExecutionTimeout: attributes.workflowExecutionTimeout ?? null,
          workflowRunTimeout: attributes.workflowRunTimeout ?? null,
          workflowTaskTimeout: attributes.workflowTaskTimeout ?? null,
          requestId: child.createRequestId,
          workflowIdReusePolicy: attributes.workflowIdReusePolicy ?? null,
          retryPolicy: attributes.retryPolicy ?? null,
          cronSchedule: attributes.cronSchedule ?? null,
          memo: attributes.memo ?? null,
          searchAttributes: attributes.searchAttributes ?? null,
          header: attributes.header ?? null,
          priority: attributes.priority ?? null,
          userMetadata: event.userMetadata ?? null,
        },
      });
      childRunId = outcome.runId;
    } catch (error) {
      if (!isServiceError(error, 'ALREADY_EXISTS')) throw error;
      await this.#send(
        run.key,
        { kind: 'childStartFailed', initiatedEventId, cause: 'WORKFLOW_ALREADY_EXISTS' },
        outboxId,
      );
      return;
    }
    const header: Header | null = attributes.header ?? null;
    try {
      await executor.submit(
        run.key,
        { kind: 'childStarted', initiatedEventId, childRunId, header },
        { doneOutbox: outboxId },
      );
    } catch (error) {
      if (!isServiceError(error, 'NOT_FOUND')) throw error;
      const orphan = {
        namespaceId: namespace.namespaceId,
        workflowId: attributes.workflowId ?? '',
        runId: childRunId,
      };
      const now = await executor.locate(run.key);
      const info = now?.latest?.children.get(initiatedEventId);
      const known = info !== undefined && (info.runId === '' || info.runId === childRunId);
      // The parent closed meanwhile: its close policy is for this child too. Or it was told by another delivery that
      // the child could not be started: then this one may not run.
      await this.#closeOrphan(run, known ? event : {}, orphan);
      await this.#options.store.outbox.delete({ outboxIds: [outboxId] });
    }
  }

  /** A process that died may have started the child, and had not told the parent before that closed. */
  async #closeStarted(parent: LiveRun, initiated: HistoryEvent, info: ChildInfo): Promise<void> {
    const { executor } = this.#options;
    const child = await executor.locateCurrent(info.namespaceId, info.workflowId);
    const state = child?.latest;
    if (!child || !state || state.closeTime !== 0) return;
    if (state.parent?.runId !== parent.key.runId) return;
    if (state.parent.initiatedEventId !== info.initiatedEventId) return;
    await this.#closeOrphan(parent, initiated, child.key);
  }

  /** CH-4 for a child that started after its parent had closed. */
  async #closeOrphan(parent: LiveRun, initiated: HistoryEvent, child: RunKey): Promise<void> {
    const policy = initiated.startChildWorkflowExecutionInitiatedEventAttributes?.parentClosePolicy;
    const { executor } = this.#options;
    try {
      if (policy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) {
        await executor.submit(child, { kind: 'scheduleFirstWorkflowTask' });
      } else if (policy === ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
        await executor.submit(child, { kind: 'scheduleFirstWorkflowTask' });
        await executor.submit(child, parentCancel(parent.key));
      } else {
        await executor.submit(child, {
          kind: 'terminate',
          reason: 'by parent close policy',
          identity: 'history-service',
        });
      }
    } catch (error) {
      if (!isServiceError(error, 'NOT_FOUND')) throw error;
    }
  }

  async #signalExternal(run: LiveRun, initiatedEventId: number, outboxId: number): Promise<void> {
    const { store } = this.#options;
    const event = await this.#event(run, initiatedEventId);
    const attributes = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
    const state = await this.#state(run);
    const pending = state?.externalSignals.get(initiatedEventId);
    if (!attributes || !state || !pending) {
      await store.outbox.delete({ outboxIds: [outboxId] });
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
    await this.#send(
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
    const { store } = this.#options;
    const event = await this.#event(run, initiatedEventId);
    const attributes = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
    const state = await this.#state(run);
    const pending = state?.externalCancels.get(initiatedEventId);
    if (!attributes || !state || !pending) {
      await store.outbox.delete({ outboxIds: [outboxId] });
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
    await this.#send(
      run.key,
      {
        kind: 'externalCancelResolved',
        initiatedEventId,
        ...(failedCause === undefined ? {} : { failedCause }),
      },
      outboxId,
    );
  }

  async #notifyParent(run: LiveRun, outboxId: number): Promise<void> {
    const state = await this.#state(run);
    const parent = state?.parent;
    if (!state || !parent) {
      await this.#options.store.outbox.delete({ outboxIds: [outboxId] });
      return;
    }
    const closeEvent = await this.#event(run, state.nextEventId - 1);
    await this.#send(
      parent,
      {
        kind: 'childClosed',
        initiatedEventId: parent.initiatedEventId,
        childRunId: state.runId,
        childFirstRunId: state.firstRunId,
        closeEvent,
      },
      outboxId,
    );
  }

  /** CH-4: over the child's whole chain, so at its current run, if that is still of this parent. */
  async #closeChild(
    run: LiveRun,
    message: Extract<OutboxMessage, { kind: 'closeChild' }>,
    outboxId: number,
  ): Promise<void> {
    const { executor, store } = this.#options;
    const child = await executor.locateCurrent(message.namespaceId, message.workflowId);
    const state = child?.latest;
    if (!child || !state || state.parent?.runId !== run.key.runId || state.closeTime !== 0) {
      await store.outbox.delete({ outboxIds: [outboxId] });
      return;
    }
    await this.#send(
      child.key,
      message.policy === 'terminate'
        ? { kind: 'terminate', reason: 'by parent close policy', identity: 'history-service' }
        : parentCancel(run.key),
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

  async #state(run: LiveRun): Promise<RunState | undefined> {
    if (!run.dropped) return run.latest;
    const found = await this.#options.executor.locate(run.key);
    return found?.latest;
  }

  async #event(run: LiveRun, eventId: number): Promise<HistoryEvent> {
    const live = run.dropped ? await this.#options.executor.locate(run.key) : run;
    const event = live && (await this.#options.history.event(live, eventId));
    return event ?? {};
  }
}

function parentCancel(
  parent: RunKey,
): Extract<Parameters<Executor['submit']>[1], { kind: 'requestCancel' }> {
  return {
    kind: 'requestCancel',
    requestId: `${parent.runId}:close`,
    identity: 'history-service',
    // The server gives a termination by this policy a reason, a cancel request none.
    reason: '',
    externalWorkflowExecution: { workflowId: parent.workflowId, runId: parent.runId },
  };
}
