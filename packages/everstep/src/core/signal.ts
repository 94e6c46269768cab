/** Signals to this run (SG-1, SG-2). */
import { accepted, alreadyCompleted, notFound, refuse } from './answer.ts';
import type { Refused } from './answer.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { checkIdLength } from './id-length.ts';
import type { Answer, InputOf, SignalArgs } from './input.ts';
import { blobSizeMessage, payloadsBytes } from './payload-size.ts';
import { EventType } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { isOpen } from './state.ts';
import type { RunState } from './state.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

export function signal(draft: Draft, input: InputOf<'signal'>): Answer<undefined> {
  // A repetition is a success even when the run closed since.
  if (input.requestId !== '' && draft.state.signalRequestIds.has(input.requestId)) return accepted;
  if (!isOpen(draft.state)) return alreadyCompleted();
  const refused = checkSignal(draft, input);
  if (refused) return refused;
  addSignal(draft, input);
  scheduleWorkflowTask(draft, { beforeFirst: input.withStart === true });
  return accepted;
}

function checkSignal(draft: Draft, input: SignalArgs): Refused | undefined {
  const { limits } = draft.env;
  if (input.signalName === '')
    return refuse('INVALID_ARGUMENT', 'SignalName is not set on request.');
  const tooLong =
    checkIdLength('SignalName', input.signalName, limits) ??
    checkIdLength('RequestId', input.requestId, limits);
  if (tooLong !== undefined) return refuse('INVALID_ARGUMENT', tooLong);
  if (payloadsBytes(input.input) > limits.payloadBytesMax)
    return refuse('INVALID_ARGUMENT', blobSizeMessage);
  if (draft.state.signalCount >= limits.signalsMax) {
    return refuse('INVALID_ARGUMENT', 'exceeded workflow execution limit for signal events');
  }
  return closing(draft.state) ?? checkParent(draft.state, input);
}

/** WT-17. */
export function closing(state: RunState): Refused | undefined {
  const started = state.workflowTask !== undefined && state.workflowTask.startedEventId !== 0;
  if (!state.closeAttempted || !started) return undefined;
  const message = 'workflow operation can not be applied because workflow is closing';
  return refuse('RESOURCE_EXHAUSTED', message, {
    kind: 'resourceExhausted',
    cause: 'busyWorkflow',
  });
}

/** A command that asked for a child only does not reach a run of another parent (SG-4, SG-5). */
export function checkParent(
  state: RunState,
  input: Pick<SignalArgs, 'childWorkflowOnly' | 'externalWorkflowExecution'>,
): Refused | undefined {
  if (!input.childWorkflowOnly) return undefined;
  const { parent } = state;
  const sender = input.externalWorkflowExecution;
  return parent &&
    sender &&
    parent.workflowId === sender.workflowId &&
    parent.runId === sender.runId
    ? undefined
    : notFound('workflow parent does not match');
}

/** The event and its effect, without a workflow task: signal-with-start puts it before the first (EV table). */
export function addSignal(draft: Draft, input: SignalArgs): void {
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    {
      workflowExecutionSignaledEventAttributes: {
        signalName: input.signalName,
        ...(input.input && { input: input.input }),
        identity: input.identity,
        ...(input.header && { header: input.header }),
        ...(input.externalWorkflowExecution && {
          externalWorkflowExecution: input.externalWorkflowExecution,
        }),
        ...(input.requestId && { requestId: input.requestId }),
      },
    },
    input.links && { links: [...input.links] },
  );
  applySignaled(draft, event);
}

function applySignaled(draft: Draft, event: HistoryEvent): void {
  const requestId = event.workflowExecutionSignaledEventAttributes?.requestId;
  draft.state.signalCount += 1;
  if (requestId) draft.own('signalRequestIds').add(requestId);
}

export const signalEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]: applySignaled,
};
