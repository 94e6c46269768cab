/** How the end of a child's chain is told in its parent's history (CH-3). */
import type { Draft } from './draft.ts';
import { InvariantViolation } from './invariant.ts';
import { EventType, RetryState } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import type { ChildInfo } from './state.ts';
import { longOf } from './time.ts';

export function addChildClose(
  draft: Draft,
  child: ChildInfo,
  runId: string,
  closeEvent: HistoryEvent,
): HistoryEvent {
  const of = {
    namespace: child.namespace,
    namespaceId: child.namespaceId,
    workflowExecution: { workflowId: child.workflowId, runId },
    workflowType: { name: child.workflowType },
    initiatedEventId: longOf(child.initiatedEventId),
    startedEventId: longOf(child.startedEventId),
  };
  switch (closeEvent.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const result = closeEvent.workflowExecutionCompletedEventAttributes?.result;
      return draft.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, {
        childWorkflowExecutionCompletedEventAttributes: { ...(result && { result }), ...of },
      });
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const { failure, retryState } = closeEvent.workflowExecutionFailedEventAttributes ?? {};
      return draft.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, {
        childWorkflowExecutionFailedEventAttributes: {
          ...(failure && { failure }),
          ...of,
          retryState: retryState ?? RetryState.RETRY_STATE_UNSPECIFIED,
        },
      });
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: {
      const details = closeEvent.workflowExecutionCanceledEventAttributes?.details;
      return draft.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, {
        childWorkflowExecutionCanceledEventAttributes: { ...(details && { details }), ...of },
      });
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: {
      const retryState = closeEvent.workflowExecutionTimedOutEventAttributes?.retryState;
      return draft.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, {
        childWorkflowExecutionTimedOutEventAttributes: {
          ...of,
          retryState: retryState ?? RetryState.RETRY_STATE_UNSPECIFIED,
        },
      });
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      return draft.add(EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, {
        childWorkflowExecutionTerminatedEventAttributes: of,
      });
    default:
      throw new InvariantViolation(
        'A child was reported closed with an event that closes no chain.',
        {
          workflowId: child.workflowId,
          runId,
          eventType: closeEvent.eventType ?? 0,
        },
      );
  }
}
