/** What the end of a started workflow says to its schedule. */
import { EventType } from '../proto.ts';
import type { Failure, HistoryEvent, Payloads } from '../proto.ts';
import type { ActionStatus } from './schedule-state.ts';

export interface ActionClose {
  readonly status: ActionStatus;
  readonly result?: Payloads | null | undefined;
  readonly failure?: Failure | null | undefined;
}

export function closeOf(event: HistoryEvent): ActionClose {
  switch (event.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
      return {
        status: 'completed',
        result: event.workflowExecutionCompletedEventAttributes?.result,
      };
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
      return { status: 'failed', failure: event.workflowExecutionFailedEventAttributes?.failure };
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      return { status: 'timedOut' };
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      return { status: 'canceled' };
    default:
      return { status: 'terminated' };
  }
}
