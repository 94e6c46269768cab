/**
 * Messages between parents and children (section 9). A start goes three ways: the parent's command starts the child,
 * the child tells its parent, and that lets the child have its first workflow task.
 */
import { ParentClosePolicy } from '../core/proto.ts';
import type { HistoryEvent } from '../core/proto.ts';
import type { InputOf, OutboxMessage } from '../core/input.ts';
import type { Random } from '../service/clock.ts';
import { isServiceError, ServiceError } from '../service/service-error.ts';
import type { RunKey } from '../store/store.ts';
import type { Executor } from './executor.ts';
import type { Messenger } from './messenger.ts';
import type { Namespaces } from './namespaces.ts';
import type { StartOutcome, Starts } from './starts.ts';
import type { LiveRun } from './unit.ts';

type ChildMessage = Extract<
  OutboxMessage,
  {
    readonly kind:
      'startChild' | 'notifyParentOfStart' | 'confirmChild' | 'notifyParent' | 'closeChild';
  }
>;

export interface ChildDeliveryOptions {
  readonly executor: Executor;
  readonly starts: Starts;
  readonly namespaces: Namespaces;
  readonly random: Random;
}

export class ChildDelivery {
  readonly #options: ChildDeliveryOptions;
  readonly #messenger: Messenger;

  constructor(options: ChildDeliveryOptions, messenger: Messenger) {
    this.#options = options;
    this.#messenger = messenger;
  }

  deliver(run: LiveRun, message: ChildMessage, outboxId: number): Promise<void> {
    switch (message.kind) {
      case 'startChild':
        return this.#startChild(run, message.initiatedEventId, outboxId);
      case 'notifyParentOfStart':
        return this.#notifyParentOfStart(run, message.parentClosePolicy, outboxId);
      case 'confirmChild':
        return this.#messenger.send(message, { kind: 'scheduleFirstWorkflowTask' }, outboxId);
      case 'notifyParent':
        return this.#notifyParent(run, outboxId);
      case 'closeChild':
        return this.#closeChild(run, message, outboxId);
    }
  }

  async #startChild(run: LiveRun, initiatedEventId: number, outboxId: number): Promise<void> {
    const { starts, random, namespaces } = this.#options;
    const event = await this.#messenger.event(run, initiatedEventId);
    const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes;
    const parent = await this.#messenger.state(run);
    const child = parent?.children.get(initiatedEventId);
    const parentClosePolicy =
      attributes?.parentClosePolicy ?? ParentClosePolicy.PARENT_CLOSE_POLICY_UNSPECIFIED;
    const abandoned = parentClosePolicy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON;
    // A child whose parent closed first is not started any more, unless it was to be left alone.
    if (!attributes || !parent || !child || (parent.closeTime !== 0 && !abandoned)) {
      await this.#messenger.forget(outboxId);
      return;
    }
    const namespace =
      namespaces.byId(child.namespaceId) ??
      (await namespaces.get(child.namespace).catch(() => undefined));
    if (!namespace) {
      await this.#messenger.send(
        run.key,
        { kind: 'childStartFailed', initiatedEventId, cause: 'NAMESPACE_NOT_FOUND' },
        outboxId,
      );
      return;
    }
    const runId = random.uuid();
    const message = { outboxId, waits: () => this.#messenger.waits(run, outboxId) };
    let outcome: StartOutcome | undefined;
    try {
      outcome = await starts.startFor(message, {
        kind: 'start',
        namespaceId: namespace.namespaceId,
        namespace: namespace.name,
        runId,
        waitForParent: { parentClosePolicy },
        parent: {
          namespaceId: parent.namespaceId,
          namespace: parent.namespace,
          workflowId: parent.workflowId,
          runId: parent.runId,
          initiatedEventId,
        },
        root: parent.root,
        request: requestOf(event, namespace.name, child.createRequestId),
      });
    } catch (error) {
      if (!isServiceError(error, 'ALREADY_EXISTS')) throw error;
      if (!(await message.waits())) return;
      await this.#messenger.send(
        run.key,
        { kind: 'childStartFailed', initiatedEventId, cause: 'WORKFLOW_ALREADY_EXISTS' },
        outboxId,
      );
      return;
    }
    if (outcome === undefined || outcome.runId === runId) return;
    // Another delivery, or the run that was reset to this one, has started it.
    await this.#messenger.send(
      run.key,
      {
        kind: 'childStarted',
        initiatedEventId,
        childRunId: outcome.runId,
        header: attributes.header ?? null,
      },
      outboxId,
    );
  }

  async #notifyParentOfStart(
    child: LiveRun,
    parentClosePolicy: ParentClosePolicy,
    outboxId: number,
  ): Promise<void> {
    const state = await this.#messenger.state(child);
    const started = (await this.#messenger.event(child, 1)).workflowExecutionStartedEventAttributes;
    const parent = state?.parent;
    if (parent && started) {
      const { initiatedEventId } = parent;
      const childRunId = child.key.runId;
      const header = started.header ?? null;
      const told = { kind: 'childStarted', initiatedEventId, childRunId, header } as const;
      if (await this.#messenger.offer(parent, told, outboxId)) return;
      const closed = (await this.#options.executor.locate(parent))?.latest;
      const info = closed?.children.get(initiatedEventId);
      // The parent was told by another delivery that the child could not be started: then this one may not run.
      const disowned = closed !== undefined && !(info?.runId === '' || info?.runId === childRunId);
      const policy = disowned ? ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE : parentClosePolicy;
      await this.#closeOrphan(parent, policy, child.key);
    }
    await this.#messenger.forget(outboxId);
  }

  /** CH-4 for a child that started after its parent had closed. */
  async #closeOrphan(parent: RunKey, policy: ParentClosePolicy, child: RunKey): Promise<void> {
    const { executor } = this.#options;
    try {
      if (policy === ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON) {
        await executor.submit(child, { kind: 'scheduleFirstWorkflowTask' });
      } else if (policy === ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
        await executor.submit(child, { kind: 'scheduleFirstWorkflowTask' });
        await executor.submit(child, parentCancel(parent));
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

  async #notifyParent(run: LiveRun, outboxId: number): Promise<void> {
    const state = await this.#messenger.state(run);
    const parent = state?.parent;
    if (!state || !parent) {
      await this.#messenger.forget(outboxId);
      return;
    }
    const closeEvent = await this.#messenger.event(run, state.nextEventId - 1);
    await this.#messenger.send(
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
    const { executor } = this.#options;
    const { namespaceId, workflowId, policy } = message;
    const child = await executor.locateCurrent(namespaceId, workflowId);
    const input: InputOf<'terminate'> | InputOf<'requestCancel'> =
      policy === 'terminate'
        ? { kind: 'terminate', reason: 'by parent close policy', identity: 'history-service' }
        : parentCancel(run.key);
    try {
      if (child) {
        await executor.submitToChain(child, input, ({ latest }) => {
          if (latest?.parent?.runId !== run.key.runId) throw notItsChild();
        });
      }
    } catch (error) {
      // One that is gone, closed, or another's needs it no more.
      if (!isServiceError(error) || error.retryable) throw error;
    }
    await this.#messenger.forget(outboxId);
  }
}

function notItsChild(): ServiceError {
  return new ServiceError({ code: 'NOT_FOUND', message: 'The run is of another parent.' });
}

function parentCancel(parent: RunKey): InputOf<'requestCancel'> {
  return {
    kind: 'requestCancel',
    requestId: `${parent.runId}:close`,
    identity: 'history-service',
    // The server gives a termination by this policy a reason, a cancel request none.
    reason: '',
    externalWorkflowExecution: { workflowId: parent.workflowId, runId: parent.runId },
  };
}

/** The start that a parent's command asks for. */
function requestOf(
  initiated: HistoryEvent,
  namespace: string,
  requestId: string,
): InputOf<'start'>['request'] {
  const attributes = initiated.startChildWorkflowExecutionInitiatedEventAttributes;
  return {
    namespace,
    workflowId: attributes?.workflowId ?? '',
    workflowType: attributes?.workflowType ?? null,
    taskQueue: attributes?.taskQueue ?? null,
    input: attributes?.input ?? null,
    workflowExecutionTimeout: attributes?.workflowExecutionTimeout ?? null,
    workflowRunTimeout: attributes?.workflowRunTimeout ?? null,
    workflowTaskTimeout: attributes?.workflowTaskTimeout ?? null,
    requestId,
    workflowIdReusePolicy: attributes?.workflowIdReusePolicy ?? null,
    retryPolicy: attributes?.retryPolicy ?? null,
    cronSchedule: attributes?.cronSchedule ?? null,
    memo: attributes?.memo ?? null,
    searchAttributes: attributes?.searchAttributes ?? null,
    header: attributes?.header ?? null,
    priority: attributes?.priority ?? null,
    userMetadata: initiated.userMetadata ?? null,
  };
}
