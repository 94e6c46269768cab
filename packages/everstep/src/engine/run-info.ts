/** A run as describe and list show it. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { WorkflowExecutionStatus } from '../core/proto.ts';
import { isOpen } from '../core/state.ts';
import type { RunState } from '../core/state.ts';
import { durationOf, longOf, timestampOf } from '../core/time.ts';
import type { ListedRun, RunStatusColumn } from '../store/store.ts';

const { Memo, SearchAttributes } = proto.temporal.api.common.v1;

export const statusToWire: Readonly<Record<RunStatusColumn, WorkflowExecutionStatus>> = {
  created: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
  running: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
  completed: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED,
  failed: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED,
  canceled: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED,
  terminated: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED,
  continuedAsNew: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW,
  timedOut: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT,
  paused: WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_PAUSED,
};

/** Of a run that a start has found or made; one whose first commit is under way runs. */
export function statusOf(state: RunState | undefined): WorkflowExecutionStatus {
  if (!state) return statusToWire.running;
  return statusToWire[state.pause && isOpen(state) ? 'paused' : state.status];
}

export type RunInfo = temporal.api.workflow.v1.IWorkflowExecutionInfo;

export function runInfoOf(listed: Pick<ListedRun, 'key' | 'columns'>): RunInfo {
  const { key, columns } = listed;
  return {
    execution: { workflowId: key.workflowId, runId: key.runId },
    type: { name: columns.workflowType },
    startTime: timestampOf(columns.startTime),
    executionTime: timestampOf(columns.executionTime),
    ...(columns.closeTime === 0
      ? {}
      : {
          closeTime: timestampOf(columns.closeTime),
          executionDuration: durationOf(columns.closeTime - columns.executionTime),
        }),
    status: statusToWire[columns.status],
    historyLength: longOf(columns.historyEvents),
    historySizeBytes: longOf(columns.historyBytes),
    ...(columns.parentWorkflowId
      ? {
          parentNamespaceId: key.namespaceId,
          parentExecution: { workflowId: columns.parentWorkflowId, runId: columns.parentRunId },
        }
      : {}),
    rootExecution: { workflowId: columns.rootWorkflowId, runId: columns.rootRunId },
    firstRunId: columns.firstRunId,
    memo: columns.memo ? Memo.decode(columns.memo) : { fields: {} },
    searchAttributes: columns.searchAttributes
      ? SearchAttributes.decode(columns.searchAttributes)
      : { indexedFields: {} },
    autoResetPoints: { points: [] },
    taskQueue: columns.taskQueue,
    stateTransitionCount: longOf(0),
  };
}
