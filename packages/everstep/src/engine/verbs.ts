/** The service: every call that is built, one file each. A call missing here does not compile. */
import type { OperatorService } from '../service/operator-service.ts';
import { isServiceError } from '../service/service-error.ts';
import type { CallContext, RpcName, WorkflowService } from '../service/workflow-service.ts';
import { StoreError } from '../store/store.ts';
import type { EngineContext } from './context.ts';
import { serviceErrorOf } from './store-trouble.ts';
import type { OperatorVerb, Verb } from './verb.ts';
import { countWorkflowExecutions } from './verbs/count-workflow-executions.ts';
import { deleteWorkflowExecution } from './verbs/delete-workflow-execution.ts';
import { describeNamespace } from './verbs/describe-namespace.ts';
import { describeTaskQueue } from './verbs/describe-task-queue.ts';
import { describeWorkflowExecution } from './verbs/describe-workflow-execution.ts';
import { executeMultiOperation } from './verbs/execute-multi-operation.ts';
import { getClusterInfo } from './verbs/get-cluster-info.ts';
import { getSearchAttributes } from './verbs/get-search-attributes.ts';
import { getSystemInfo } from './verbs/get-system-info.ts';
import { getWorkflowExecutionHistoryReverse } from './verbs/get-workflow-execution-history-reverse.ts';
import { getWorkflowExecutionHistory } from './verbs/get-workflow-execution-history.ts';
import { listClosedWorkflowExecutions } from './verbs/list-closed-workflow-executions.ts';
import { listNamespaces } from './verbs/list-namespaces.ts';
import { listOpenWorkflowExecutions } from './verbs/list-open-workflow-executions.ts';
import { listWorkflowExecutions } from './verbs/list-workflow-executions.ts';
import { pollActivityTaskQueue } from './verbs/poll-activity-task-queue.ts';
import { pollWorkflowTaskQueue } from './verbs/poll-workflow-task-queue.ts';
import { pollWorkflowExecutionUpdate } from './verbs/poll-workflow-execution-update.ts';
import { queryWorkflow } from './verbs/query-workflow.ts';
import { recordActivityTaskHeartbeatById } from './verbs/record-activity-task-heartbeat-by-id.ts';
import { recordActivityTaskHeartbeat } from './verbs/record-activity-task-heartbeat.ts';
import { registerNamespace } from './verbs/register-namespace.ts';
import { requestCancelWorkflowExecution } from './verbs/request-cancel-workflow-execution.ts';
import { resetStickyTaskQueue } from './verbs/reset-sticky-task-queue.ts';
import { resetWorkflowExecution } from './verbs/reset-workflow-execution.ts';
import { respondActivityTaskCanceledById } from './verbs/respond-activity-task-canceled-by-id.ts';
import { respondActivityTaskCanceled } from './verbs/respond-activity-task-canceled.ts';
import { respondActivityTaskCompletedById } from './verbs/respond-activity-task-completed-by-id.ts';
import { respondActivityTaskCompleted } from './verbs/respond-activity-task-completed.ts';
import { respondActivityTaskFailedById } from './verbs/respond-activity-task-failed-by-id.ts';
import { respondActivityTaskFailed } from './verbs/respond-activity-task-failed.ts';
import { respondQueryTaskCompleted } from './verbs/respond-query-task-completed.ts';
import { respondWorkflowTaskCompleted } from './verbs/respond-workflow-task-completed.ts';
import { respondWorkflowTaskFailed } from './verbs/respond-workflow-task-failed.ts';
import { scanWorkflowExecutions } from './verbs/scan-workflow-executions.ts';
import { shutdownWorker } from './verbs/shutdown-worker.ts';
import { signalWithStartWorkflowExecution } from './verbs/signal-with-start-workflow-execution.ts';
import { signalWorkflowExecution } from './verbs/signal-workflow-execution.ts';
import { pauseActivity } from './verbs/pause-activity.ts';
import { resetActivity } from './verbs/reset-activity.ts';
import { unpauseActivity } from './verbs/unpause-activity.ts';
import { pauseWorkflowExecution } from './verbs/pause-workflow-execution.ts';
import { unpauseWorkflowExecution } from './verbs/unpause-workflow-execution.ts';
import { updateActivityOptions } from './verbs/update-activity-options.ts';
import { startWorkflowExecution } from './verbs/start-workflow-execution.ts';
import { terminateWorkflowExecution } from './verbs/terminate-workflow-execution.ts';
import { updateWorkflowExecution } from './verbs/update-workflow-execution.ts';
import { updateNamespace } from './verbs/update-namespace.ts';
import { addSearchAttributes } from './verbs/add-search-attributes.ts';
import { deleteNamespace } from './verbs/delete-namespace.ts';
import { listSearchAttributes } from './verbs/list-search-attributes.ts';
import { removeSearchAttributes } from './verbs/remove-search-attributes.ts';
import { createSchedule } from './verbs/create-schedule.ts';
import { describeSchedule } from './verbs/describe-schedule.ts';
import { updateSchedule } from './verbs/update-schedule.ts';
import { patchSchedule } from './verbs/patch-schedule.ts';
import { listScheduleMatchingTimes } from './verbs/list-schedule-matching-times.ts';
import { deleteSchedule } from './verbs/delete-schedule.ts';
import { listSchedules } from './verbs/list-schedules.ts';
import { countSchedules } from './verbs/count-schedules.ts';
import { startBatchOperation } from './verbs/start-batch-operation.ts';
import { stopBatchOperation } from './verbs/stop-batch-operation.ts';
import { describeBatchOperation } from './verbs/describe-batch-operation.ts';
import { listBatchOperations } from './verbs/list-batch-operations.ts';
import { recordWorkerHeartbeat } from './verbs/record-worker-heartbeat.ts';
import { listTaskQueuePartitions } from './verbs/list-task-queue-partitions.ts';
import { listClusters } from './verbs/list-clusters.ts';
import { listWorkers } from './verbs/list-workers.ts';
import { countWorkers } from './verbs/count-workers.ts';
import { describeWorker } from './verbs/describe-worker.ts';
import { updateWorkflowExecutionOptions } from './verbs/update-workflow-execution-options.ts';

const verbs: { readonly [Name in RpcName]: Verb<Name> } = {
  countWorkflowExecutions,
  deleteWorkflowExecution,
  describeNamespace,
  describeTaskQueue,
  describeWorkflowExecution,
  executeMultiOperation,
  getClusterInfo,
  getSearchAttributes,
  getSystemInfo,
  getWorkflowExecutionHistoryReverse,
  getWorkflowExecutionHistory,
  listClosedWorkflowExecutions,
  listNamespaces,
  listOpenWorkflowExecutions,
  listTaskQueuePartitions,
  listWorkflowExecutions,
  pollActivityTaskQueue,
  pollWorkflowExecutionUpdate,
  pollWorkflowTaskQueue,
  queryWorkflow,
  recordActivityTaskHeartbeatById,
  recordActivityTaskHeartbeat,
  registerNamespace,
  requestCancelWorkflowExecution,
  resetStickyTaskQueue,
  resetWorkflowExecution,
  respondActivityTaskCanceledById,
  respondActivityTaskCanceled,
  respondActivityTaskCompletedById,
  respondActivityTaskCompleted,
  respondActivityTaskFailedById,
  respondActivityTaskFailed,
  respondQueryTaskCompleted,
  respondWorkflowTaskCompleted,
  respondWorkflowTaskFailed,
  scanWorkflowExecutions,
  shutdownWorker,
  signalWithStartWorkflowExecution,
  signalWorkflowExecution,
  pauseActivity,
  resetActivity,
  unpauseActivity,
  updateActivityOptions,
  updateWorkflowExecutionOptions,
  pauseWorkflowExecution,
  unpauseWorkflowExecution,
  startWorkflowExecution,
  terminateWorkflowExecution,
  updateNamespace,
  updateWorkflowExecution,
  createSchedule,
  describeSchedule,
  updateSchedule,
  patchSchedule,
  listScheduleMatchingTimes,
  deleteSchedule,
  listSchedules,
  countSchedules,
  startBatchOperation,
  stopBatchOperation,
  describeBatchOperation,
  listBatchOperations,
  recordWorkerHeartbeat,
  listWorkers,
  countWorkers,
  describeWorker,
};

const operatorVerbs: {
  readonly [Name in keyof OperatorService]: OperatorVerb<Name>;
} = {
  addSearchAttributes,
  deleteNamespace,
  listClusters,
  listSearchAttributes,
  removeSearchAttributes,
};

export function serviceOf(context: EngineContext): WorkflowService {
  return bound(context, verbs) as unknown as WorkflowService;
}

export function operatorOf(context: EngineContext): OperatorService {
  return bound(context, operatorVerbs) as unknown as OperatorService;
}

function bound(context: EngineContext, calls: object): Record<string, unknown> {
  const service: Record<string, unknown> = {};
  for (const [name, call] of Object.entries(calls)) {
    const verb = call as (
      context: EngineContext,
      request: object,
      call: CallContext | undefined,
    ) => Promise<object>;
    service[name] = (request: object, scope: CallContext | undefined) =>
      untilStopped(context, () =>
        scope?.transaction === undefined
          ? verb(context, request, scope)
          : context.joinedCalls.call(context, name as RpcName, verb, request, scope),
      );
  }
  return service;
}

/** What an engine that has stopped, and a store closed or failed under a call, come to is no bug. */
async function untilStopped(
  { waiters, noteFailure }: EngineContext,
  call: () => Promise<object>,
): Promise<object> {
  const refusal = waiters.refusal();
  if (refusal) throw refusal;
  try {
    return await call();
  } catch (error) {
    const ended = !isServiceError(error) || isServiceError(error, 'DEADLINE_EXCEEDED');
    noteFailure();
    throw (ended ? waiters.refusal(error) : undefined) ?? asked(error);
  }
}

/** A read that failed is refused as a write is; what else is no service error is a bug, and stays one. */
function asked(error: unknown): unknown {
  return error instanceof StoreError ? serviceErrorOf(error) : error;
}
