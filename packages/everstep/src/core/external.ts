/**
 * Signals and cancel requests this run sends to others (SG-4, SG-5): a command writes the initiated event and a
 * message for the outbox; the outcome comes back as an input. The event's ids make the message's request id, so
 * a message delivered twice is one request.
 */
import proto from '@temporalio/proto';
import { accepted, alreadyCompleted } from './answer.ts';
import { checkCount } from './command-problem.ts';
import type { CommandHandler } from './command.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { idTooLong } from './id-length.ts';
import type { Answer, InputOf } from './input.ts';
import { payloadsBytes } from './payload-size.ts';
import { EventType, WorkflowTaskFailedCause } from './proto.ts';
import type { HistoryEvent, WireWorkflowExecution } from './proto.ts';
import type { ExternalInfo, RunState } from './state.ts';
import { isOpen } from './state.ts';
import { longOf, numberOf } from './time.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

const causes = WorkflowTaskFailedCause;
const badSignal = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
const badCancel =
  causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
const { SignalExternalWorkflowExecutionFailedCause, CancelExternalWorkflowExecutionFailedCause } =
  proto.temporal.api.enums.v1;

const uuid = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

interface Target {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** The problem in words, or undefined. */
function checkTarget(draft: Draft, command: string, target: Target): string | undefined {
  const { state } = draft;
  const ids = `WorkflowId=${target.workflowId} RunId=${target.runId} Namespace=${target.namespace}`;
  if (target.namespace !== '' && target.namespace !== state.namespace) return crossNamespaceMessage;
  if (target.workflowId === '') return `WorkflowId is not set on ${command}. ${ids}`;
  if (idTooLong(target.workflowId, draft.env.limits))
    return `WorkflowId on ${command} exceeds length limit. ${ids}`;
  if (target.runId !== '' && !uuid.test(target.runId))
    return `Invalid RunId set on ${command}. ${ids}`;
  return undefined;
}

/** As Temporal's server answers by default. */
export const crossNamespaceMessage = 'cross namespace commands are not allowed';

export const signalExternal: CommandHandler = (draft, command, context) => {
  const name = 'SignalExternalWorkflowExecutionCommand';
  const attributes = command.signalExternalWorkflowExecutionCommandAttributes;
  if (!attributes) return { cause: badSignal, message: `${name}Attributes is not set on ${name}.` };
  if (!attributes.execution)
    return { cause: badSignal, message: `Execution is not set on ${name}.` };
  const workflowId = attributes.execution.workflowId ?? '';
  const runId = attributes.execution.runId ?? '';
  const problem = checkTarget(draft, name, {
    namespace: attributes.namespace ?? '',
    workflowId,
    runId,
  });
  if (problem !== undefined) return { cause: badSignal, message: problem };
  const signalName = attributes.signalName ?? '';
  if (signalName === '' || idTooLong(signalName, draft.env.limits)) {
    const what = signalName === '' ? `is not set on ${name}` : `on ${name} exceeds length limit`;
    return {
      cause: badSignal,
      message: `SignalName ${what}. WorkflowId=${workflowId} RunId=${runId}`,
    };
  }
  const { limits } = draft.env;
  const tooMany = checkCount(
    'pending signals to external workflows',
    draft.state.externalSignals.size,
    limits.pendingSignalsMax,
    causes.WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
  );
  if (tooMany) return tooMany;
  if (payloadsBytes(attributes.input) > limits.payloadBytesMax) {
    const message = `${name}Attributes.Input exceeds size limit.`;
    return { cause: badSignal, message, terminate: true };
  }
  const event = draft.add(
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    {
      signalExternalWorkflowExecutionInitiatedEventAttributes: {
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        namespace: attributes.namespace || draft.state.namespace,
        namespaceId: draft.state.namespaceId,
        workflowExecution: { workflowId, runId },
        signalName,
        ...(attributes.input && { input: attributes.input }),
        ...(attributes.control && { control: attributes.control }),
        childWorkflowOnly: attributes.childWorkflowOnly ?? false,
        ...(attributes.header && { header: attributes.header }),
      },
    },
    { userMetadata: command.userMetadata },
  );
  applySignalInitiated(draft, event);
  draft.outbox.push({ kind: 'signalExternal', initiatedEventId: numberOf(event.eventId) });
  return undefined;
};

export const cancelExternal: CommandHandler = (draft, command, context) => {
  const name = 'RequestCancelExternalWorkflowExecutionCommand';
  const attributes = command.requestCancelExternalWorkflowExecutionCommandAttributes;
  if (!attributes) return { cause: badCancel, message: `${name}Attributes is not set on ${name}.` };
  const workflowId = attributes.workflowId ?? '';
  const runId = attributes.runId ?? '';
  const problem =
    checkTarget(draft, name, { namespace: attributes.namespace ?? '', workflowId, runId }) ??
    (initiatedNow(draft, workflowId)
      ? `Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId=${workflowId} RunId=${runId} Namespace=${attributes.namespace ?? ''}`
      : undefined);
  if (problem !== undefined) return { cause: badCancel, message: problem };
  const tooMany = checkCount(
    'pending requests to cancel external workflows',
    draft.state.externalCancels.size,
    draft.env.limits.pendingCancelsMax,
    causes.WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
  );
  if (tooMany) return tooMany;
  const event = draft.add(
    EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
    {
      requestCancelExternalWorkflowExecutionInitiatedEventAttributes: {
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        namespace: attributes.namespace || draft.state.namespace,
        namespaceId: draft.state.namespaceId,
        workflowExecution: { workflowId, runId },
        ...(attributes.control && { control: attributes.control }),
        childWorkflowOnly: attributes.childWorkflowOnly ?? false,
        reason: attributes.reason ?? '',
      },
    },
    { userMetadata: command.userMetadata },
  );
  applyCancelInitiated(draft, event);
  draft.outbox.push({ kind: 'cancelExternal', initiatedEventId: numberOf(event.eventId) });
  return undefined;
};

/** A child initiated by the same workflow task may not be there yet when its cancellation arrives. */
function initiatedNow(draft: Draft, workflowId: string): boolean {
  return draft.events.some(
    (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId === workflowId,
  );
}

export function externalSignalResolved(
  draft: Draft,
  input: InputOf<'externalSignalResolved'>,
): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const pending = draft.state.externalSignals.get(input.initiatedEventId);
  // Messages are delivered at least once: a second outcome is none.
  if (!pending) return accepted;
  if (input.failedCause === undefined) {
    draft.add(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, {
      externalWorkflowExecutionSignaledEventAttributes: {
        ...outcome(pending),
        control: pending.control,
      },
    });
  } else {
    const cause: proto.temporal.api.enums.v1.SignalExternalWorkflowExecutionFailedCause =
      input.failedCause ||
      SignalExternalWorkflowExecutionFailedCause.SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
    draft.add(EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, {
      signalExternalWorkflowExecutionFailedEventAttributes: {
        ...outcome(pending),
        control: pending.control,
        cause,
      },
    });
  }
  draft.own('externalSignals').delete(input.initiatedEventId);
  scheduleWorkflowTask(draft);
  return accepted;
}

export function externalCancelResolved(
  draft: Draft,
  input: InputOf<'externalCancelResolved'>,
): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  const pending = draft.state.externalCancels.get(input.initiatedEventId);
  if (!pending) return accepted;
  if (input.failedCause === undefined) {
    draft.add(EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, {
      externalWorkflowExecutionCancelRequestedEventAttributes: outcome(pending),
    });
  } else {
    const cause: proto.temporal.api.enums.v1.CancelExternalWorkflowExecutionFailedCause =
      input.failedCause ||
      CancelExternalWorkflowExecutionFailedCause.CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
    draft.add(EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, {
      requestCancelExternalWorkflowExecutionFailedEventAttributes: {
        ...outcome(pending),
        cause,
      },
    });
  }
  draft.own('externalCancels').delete(input.initiatedEventId);
  scheduleWorkflowTask(draft);
  return accepted;
}

function outcome(pending: ExternalInfo) {
  return {
    initiatedEventId: longOf(pending.initiatedEventId),
    namespace: pending.namespace,
    namespaceId: pending.namespaceId,
    workflowExecution: { workflowId: pending.workflowId, runId: pending.runId },
  };
}

interface InitiatedAttributes {
  readonly namespace?: string | null;
  readonly namespaceId?: string | null;
  readonly workflowExecution?: WireWorkflowExecution | null;
  readonly control?: string | null;
}

function pendingOf(
  state: RunState,
  event: HistoryEvent,
  attributes: InitiatedAttributes | null | undefined,
): ExternalInfo {
  const initiatedEventId = numberOf(event.eventId);
  return {
    initiatedEventId,
    requestId: outgoingRequestId(state, initiatedEventId),
    namespaceId: attributes?.namespaceId ?? '',
    namespace: attributes?.namespace ?? '',
    workflowId: attributes?.workflowExecution?.workflowId ?? '',
    runId: attributes?.workflowExecution?.runId ?? '',
    control: attributes?.control ?? '',
  };
}

/** Unique, since an event id of a run is given once, and the same whenever the state is rebuilt. */
export function outgoingRequestId(state: RunState, initiatedEventId: number): string {
  return `${state.runId}:${initiatedEventId}`;
}

function applySignalInitiated(draft: Draft, event: HistoryEvent): void {
  const attributes = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  draft
    .own('externalSignals')
    .set(numberOf(event.eventId), pendingOf(draft.state, event, attributes));
}

function applyCancelInitiated(draft: Draft, event: HistoryEvent): void {
  const attributes = event.requestCancelExternalWorkflowExecutionInitiatedEventAttributes;
  draft
    .own('externalCancels')
    .set(numberOf(event.eventId), pendingOf(draft.state, event, attributes));
}

export const externalEvents: EventTable = {
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]: applySignalInitiated,
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED]: (draft, event) => {
    const id = event.externalWorkflowExecutionSignaledEventAttributes?.initiatedEventId;
    draft.own('externalSignals').delete(numberOf(id));
  },
  [EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]: (draft, event) => {
    const id = event.signalExternalWorkflowExecutionFailedEventAttributes?.initiatedEventId;
    draft.own('externalSignals').delete(numberOf(id));
  },
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED]: applyCancelInitiated,
  [EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED]: (draft, event) => {
    const id = event.externalWorkflowExecutionCancelRequestedEventAttributes?.initiatedEventId;
    draft.own('externalCancels').delete(numberOf(id));
  },
  [EventType.EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED]: (draft, event) => {
    const id = event.requestCancelExternalWorkflowExecutionFailedEventAttributes?.initiatedEventId;
    draft.own('externalCancels').delete(numberOf(id));
  },
};
