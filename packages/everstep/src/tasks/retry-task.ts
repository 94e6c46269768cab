/**
 * Retrying a task that has ended without a result: its run is reset, so that a new run begins with the history up
 * to a workflow task. Steps that completed stay completed; the runtime schedules those again that had failed
 * before the reset.
 */
import proto from '@temporalio/proto';
import { EverstepError } from '../service/error-codes.ts';
import { describeRun, wholeHistory, type TaskClient } from './task-client.ts';
import { taskNotFound } from './task-reader.ts';
import { runEnd, type HistoryEvent } from './task-status.ts';

const { ResetReapplyExcludeType, WorkflowIdReusePolicy, WorkflowIdConflictPolicy } =
  proto.temporal.api.enums.v1;

/** @throws EverstepError TASK_NOT_FOUND, TASK_NOT_RETRYABLE (it still runs, or it has completed). */
export async function retryTask(task: TaskClient, taskId: string): Promise<void> {
  const { client } = task;
  const description = await describeRun(task, taskId);
  if (description === undefined) throw taskNotFound(taskId);
  const runId = description.workflowExecutionInfo?.execution?.runId ?? '';
  const events = await wholeHistory(task, taskId, runId);
  const end = runEnd(events.at(-1) ?? {});
  if (end === undefined || end.kind === 'continued') {
    throw notRetryable(taskId, 'is still running; cancel or terminate it first');
  }
  if (end.kind === 'completed') throw notRetryable(taskId, 'has completed; its result is kept');
  // The same for every caller that saw this end, so that two retries at once are one.
  const requestId = `retry-${runId}`;
  const resetTo = resetPoint(events);
  if (resetTo === undefined) {
    await startAgain(task, taskId, requestId, events);
    return;
  }
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    identity: client.options.identity,
    workflowExecution: { workflowId: taskId, runId },
    workflowTaskFinishEventId: resetTo,
    requestId,
    reason: 'retry',
    resetReapplyExcludeTypes: [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST],
  });
}

/**
 * The last completed workflow task; of a cancelled run the last one before the cancel, or the new run would begin
 * cancelled. `workflowTaskFinishEventId` names the event that finished it (ResetWorkflowExecutionRequest).
 */
function resetPoint(events: readonly HistoryEvent[]): HistoryEvent['eventId'] | undefined {
  let point: HistoryEvent['eventId'] | undefined;
  for (const event of events) {
    if (event.workflowExecutionCancelRequestedEventAttributes) break;
    if (event.workflowTaskCompletedEventAttributes) point = event.eventId;
  }
  return point ?? undefined;
}

/** No workflow task ever completed: nothing was done, so the same task simply starts. */
async function startAgain(
  { client }: TaskClient,
  workflowId: string,
  requestId: string,
  events: readonly HistoryEvent[],
): Promise<void> {
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  await client.workflowService.startWorkflowExecution({
    namespace: client.options.namespace,
    identity: client.options.identity,
    workflowId,
    requestId,
    workflowType: started?.workflowType ?? null,
    taskQueue: started?.taskQueue ?? null,
    input: started?.input ?? null,
    header: started?.header ?? null,
    memo: started?.memo ?? null,
    searchAttributes: started?.searchAttributes ?? null,
    workflowIdReusePolicy:
      WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
  });
}

function notRetryable(taskId: string, why: string): EverstepError {
  return new EverstepError('TASK_NOT_RETRYABLE', `Task ${taskId} cannot be retried: it ${why}.`, {
    taskId,
  });
}
