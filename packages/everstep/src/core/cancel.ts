/** A request to cancel this run (SG-5). What it leads to is up to the workflow. */
import { accepted } from './answer.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import type { Answer, InputOf } from './input.ts';
import { EventType } from './proto.ts';
import { checkParent } from './signal.ts';
import { isOpen } from './state.ts';
import { longOf } from './time.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

/** Cancelling what is closed, or was asked already, is a success that adds nothing. */
export function requestCancel(draft: Draft, input: InputOf<'requestCancel'>): Answer<undefined> {
  const { state } = draft;
  if (!isOpen(state)) return accepted;
  const refused = checkParent(state, input);
  if (refused) return refused;
  if (state.cancelRequested) return accepted;
  draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    {
      workflowExecutionCancelRequestedEventAttributes: {
        cause: input.reason,
        identity: input.identity,
        ...(input.externalInitiatedEventId !== undefined && {
          externalInitiatedEventId: longOf(input.externalInitiatedEventId),
        }),
        ...(input.externalWorkflowExecution && {
          externalWorkflowExecution: input.externalWorkflowExecution,
        }),
      },
    },
    input.links && { links: [...input.links] },
  );
  applyCancelRequested(draft);
  state.cancelRequestId = input.requestId;
  scheduleWorkflowTask(draft, { beforeFirst: true });
  return accepted;
}

function applyCancelRequested(draft: Draft): void {
  draft.state.cancelRequested = true;
}

export const cancelEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED]: applyCancelRequested,
};
