/** A run's history as the service has it. */
import proto from '@temporalio/proto';
import type { ActivityTask, WorkflowTask } from '../service/local-worker.ts';
import type { WorkflowService } from '../service/workflow-service.ts';
import { numberOf } from './int64.ts';
import type { HistoryEvent } from './journal.ts';

const { EventType } = proto.temporal.api.enums.v1;

export interface HistoryRequest {
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  /** Where to go on; from the beginning without it. */
  readonly nextPageToken?: Uint8Array;
}

/** The run that a task is of. */
export function executionOf(task: WorkflowTask | ActivityTask): {
  workflowId: string;
  runId: string;
} {
  return {
    workflowId: task.workflowExecution?.workflowId ?? '',
    runId: task.workflowExecution?.runId ?? '',
  };
}

/** To its end, page by page. */
export async function readHistory(
  service: WorkflowService,
  request: HistoryRequest,
): Promise<HistoryEvent[]> {
  const { namespace, workflowId, runId } = request;
  const events: HistoryEvent[] = [];
  let { nextPageToken } = request;
  for (;;) {
    const page = await service.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId, runId },
      ...(nextPageToken && { nextPageToken }),
    });
    events.push(...(page.history?.events ?? []));
    if (!page.nextPageToken?.length) return events;
    nextPageToken = page.nextPageToken;
  }
}

/** The started event id of the last completed workflow task: as far as the code is known to have come. */
export function lastDrivenEventId(events: readonly HistoryEvent[]): number {
  const last = events.findLast(
    ({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
  );
  return numberOf(last?.workflowTaskCompletedEventAttributes?.startedEventId);
}

/**
 * These events begin where a run goes on that has seen everything up to that position and has answered: by the
 * completion of the very workflow task that it was driven by.
 */
export function continuesAt(events: readonly HistoryEvent[], position: number): boolean {
  const [first] = events;
  const completed = first?.workflowTaskCompletedEventAttributes;
  return (
    position > 0 &&
    numberOf(first?.eventId) === position + 1 &&
    numberOf(completed?.startedEventId) === position
  );
}

/** `fresh` after what of `read` is older. */
export function joined(
  read: readonly HistoryEvent[],
  fresh: readonly HistoryEvent[],
): HistoryEvent[] {
  const from = numberOf(fresh[0]?.eventId);
  return from === 0
    ? [...read]
    : [...read.filter(({ eventId }) => numberOf(eventId) < from), ...fresh];
}

/** From the first event on, without a gap. */
export function isWhole(events: readonly HistoryEvent[], untilEventId: number): boolean {
  return events.length >= untilEventId && numberOf(events[0]?.eventId) === 1;
}
