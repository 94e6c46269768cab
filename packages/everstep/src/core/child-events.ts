/** What each event of a child does to its parent's state. */
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { outgoingRequestId } from './external.ts';
import { EventType, ParentClosePolicy } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { numberOf } from './time.ts';
import type { WireLong } from './time.ts';

export function applyChildInitiated(draft: Draft, event: HistoryEvent): void {
  const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes ?? {};
  const initiatedEventId = numberOf(event.eventId);
  draft.own('children').set(initiatedEventId, {
    initiatedEventId,
    startedEventId: 0,
    namespaceId: attributes.namespaceId ?? '',
    namespace: attributes.namespace ?? '',
    workflowId: attributes.workflowId ?? '',
    workflowType: attributes.workflowType?.name ?? '',
    runId: '',
    createRequestId: outgoingRequestId(draft.state, initiatedEventId),
    parentClosePolicy:
      attributes.parentClosePolicy || ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE,
    control: attributes.control ?? '',
  });
}

/** In the buffer the event has no id yet: the run id alone says that the child started until the flush (WT-34). */
export function applyChildStarted(draft: Draft, event: HistoryEvent): void {
  const attributes = event.childWorkflowExecutionStartedEventAttributes;
  const initiatedEventId = numberOf(attributes?.initiatedEventId);
  const child = draft.state.children.get(initiatedEventId);
  if (!child) return;
  draft.own('children').set(initiatedEventId, {
    ...child,
    startedEventId: numberOf(event.eventId),
    runId: attributes?.workflowExecution?.runId ?? '',
  });
}

export function forgetChild(draft: Draft, initiatedEventId: WireLong): void {
  draft.own('children').delete(numberOf(initiatedEventId));
}

export const childEvents: EventTable = {
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED]: applyChildInitiated,
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED]: applyChildStarted,
  [EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED]: (draft, event) => {
    forgetChild(draft, event.startChildWorkflowExecutionFailedEventAttributes?.initiatedEventId);
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED]: (draft, event) => {
    forgetChild(draft, event.childWorkflowExecutionCompletedEventAttributes?.initiatedEventId);
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED]: (draft, event) => {
    forgetChild(draft, event.childWorkflowExecutionFailedEventAttributes?.initiatedEventId);
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED]: (draft, event) => {
    forgetChild(draft, event.childWorkflowExecutionCanceledEventAttributes?.initiatedEventId);
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT]: (draft, event) => {
    forgetChild(draft, event.childWorkflowExecutionTimedOutEventAttributes?.initiatedEventId);
  },
  [EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED]: (draft, event) => {
    forgetChild(draft, event.childWorkflowExecutionTerminatedEventAttributes?.initiatedEventId);
  },
};
