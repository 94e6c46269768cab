/**
 * The waist: Temporal's public WorkflowService as a plain interface. Requests and replies are the plain-object
 * types of `@temporalio/proto`; errors are ServiceError (service-error.ts). Everything above calls this and
 * nothing else; the embedded engine implements it, and so does a gRPC connection to a Temporal Server.
 *
 * It holds the calls that the embedded engine has built. A call that is not here answers UNIMPLEMENTED.
 * Read next: local-worker.ts and transaction.ts, the two extensions beyond the public contract.
 */
import type { temporal } from '@temporalio/proto';

/** What travels beside a request. */
export interface CallContext {
  /** Epoch milliseconds after which the caller no longer waits. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Of the application, on the engine's own database: the call's effect is part of it (service/transaction.ts). */
  readonly transaction?: unknown;
}

/** One call of a service. */
export type Rpc<Request, Response> = (request: Request, call?: CallContext) => Promise<Response>;

export interface WorkflowService {
  getSystemInfo: Rpc<
    temporal.api.workflowservice.v1.IGetSystemInfoRequest,
    temporal.api.workflowservice.v1.IGetSystemInfoResponse
  >;
  getClusterInfo: Rpc<
    temporal.api.workflowservice.v1.IGetClusterInfoRequest,
    temporal.api.workflowservice.v1.IGetClusterInfoResponse
  >;
  registerNamespace: Rpc<
    temporal.api.workflowservice.v1.IRegisterNamespaceRequest,
    temporal.api.workflowservice.v1.IRegisterNamespaceResponse
  >;
  describeNamespace: Rpc<
    temporal.api.workflowservice.v1.IDescribeNamespaceRequest,
    temporal.api.workflowservice.v1.IDescribeNamespaceResponse
  >;
  updateNamespace: Rpc<
    temporal.api.workflowservice.v1.IUpdateNamespaceRequest,
    temporal.api.workflowservice.v1.IUpdateNamespaceResponse
  >;
  getSearchAttributes: Rpc<
    temporal.api.workflowservice.v1.IGetSearchAttributesRequest,
    temporal.api.workflowservice.v1.IGetSearchAttributesResponse
  >;
  shutdownWorker: Rpc<
    temporal.api.workflowservice.v1.IShutdownWorkerRequest,
    temporal.api.workflowservice.v1.IShutdownWorkerResponse
  >;
  listNamespaces: Rpc<
    temporal.api.workflowservice.v1.IListNamespacesRequest,
    temporal.api.workflowservice.v1.IListNamespacesResponse
  >;

  startWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IStartWorkflowExecutionResponse
  >;
  signalWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.ISignalWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.ISignalWorkflowExecutionResponse
  >;
  signalWithStartWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionResponse
  >;
  queryWorkflow: Rpc<
    temporal.api.workflowservice.v1.IQueryWorkflowRequest,
    temporal.api.workflowservice.v1.IQueryWorkflowResponse
  >;
  requestCancelWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IRequestCancelWorkflowExecutionResponse
  >;
  updateWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IUpdateWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse
  >;
  pollWorkflowExecutionUpdate: Rpc<
    temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateRequest,
    temporal.api.workflowservice.v1.IPollWorkflowExecutionUpdateResponse
  >;
  executeMultiOperation: Rpc<
    temporal.api.workflowservice.v1.IExecuteMultiOperationRequest,
    temporal.api.workflowservice.v1.IExecuteMultiOperationResponse
  >;
  terminateWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.ITerminateWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.ITerminateWorkflowExecutionResponse
  >;
  deleteWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IDeleteWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IDeleteWorkflowExecutionResponse
  >;
  resetWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IResetWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IResetWorkflowExecutionResponse
  >;
  describeWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IDescribeWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse
  >;
  getWorkflowExecutionHistory: Rpc<
    temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryRequest,
    temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse
  >;
  getWorkflowExecutionHistoryReverse: Rpc<
    temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryReverseRequest,
    temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryReverseResponse
  >;
  listWorkflowExecutions: Rpc<
    temporal.api.workflowservice.v1.IListWorkflowExecutionsRequest,
    temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse
  >;
  listOpenWorkflowExecutions: Rpc<
    temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsRequest,
    temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsResponse
  >;
  listClosedWorkflowExecutions: Rpc<
    temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsRequest,
    temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsResponse
  >;
  scanWorkflowExecutions: Rpc<
    temporal.api.workflowservice.v1.IScanWorkflowExecutionsRequest,
    temporal.api.workflowservice.v1.IScanWorkflowExecutionsResponse
  >;
  countWorkflowExecutions: Rpc<
    temporal.api.workflowservice.v1.ICountWorkflowExecutionsRequest,
    temporal.api.workflowservice.v1.ICountWorkflowExecutionsResponse
  >;
  pauseActivity: Rpc<
    temporal.api.workflowservice.v1.IPauseActivityRequest,
    temporal.api.workflowservice.v1.IPauseActivityResponse
  >;
  startBatchOperation: Rpc<
    temporal.api.workflowservice.v1.IStartBatchOperationRequest,
    temporal.api.workflowservice.v1.IStartBatchOperationResponse
  >;
  stopBatchOperation: Rpc<
    temporal.api.workflowservice.v1.IStopBatchOperationRequest,
    temporal.api.workflowservice.v1.IStopBatchOperationResponse
  >;
  describeBatchOperation: Rpc<
    temporal.api.workflowservice.v1.IDescribeBatchOperationRequest,
    temporal.api.workflowservice.v1.IDescribeBatchOperationResponse
  >;
  listBatchOperations: Rpc<
    temporal.api.workflowservice.v1.IListBatchOperationsRequest,
    temporal.api.workflowservice.v1.IListBatchOperationsResponse
  >;
  recordWorkerHeartbeat: Rpc<
    temporal.api.workflowservice.v1.IRecordWorkerHeartbeatRequest,
    temporal.api.workflowservice.v1.IRecordWorkerHeartbeatResponse
  >;
  listWorkers: Rpc<
    temporal.api.workflowservice.v1.IListWorkersRequest,
    temporal.api.workflowservice.v1.IListWorkersResponse
  >;
  countWorkers: Rpc<
    temporal.api.workflowservice.v1.ICountWorkersRequest,
    temporal.api.workflowservice.v1.ICountWorkersResponse
  >;
  describeWorker: Rpc<
    temporal.api.workflowservice.v1.IDescribeWorkerRequest,
    temporal.api.workflowservice.v1.IDescribeWorkerResponse
  >;
  updateWorkflowExecutionOptions: Rpc<
    temporal.api.workflowservice.v1.IUpdateWorkflowExecutionOptionsRequest,
    temporal.api.workflowservice.v1.IUpdateWorkflowExecutionOptionsResponse
  >;
  updateActivityOptions: Rpc<
    temporal.api.workflowservice.v1.IUpdateActivityOptionsRequest,
    temporal.api.workflowservice.v1.IUpdateActivityOptionsResponse
  >;
  pauseWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IPauseWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IPauseWorkflowExecutionResponse
  >;
  unpauseWorkflowExecution: Rpc<
    temporal.api.workflowservice.v1.IUnpauseWorkflowExecutionRequest,
    temporal.api.workflowservice.v1.IUnpauseWorkflowExecutionResponse
  >;
  unpauseActivity: Rpc<
    temporal.api.workflowservice.v1.IUnpauseActivityRequest,
    temporal.api.workflowservice.v1.IUnpauseActivityResponse
  >;
  resetActivity: Rpc<
    temporal.api.workflowservice.v1.IResetActivityRequest,
    temporal.api.workflowservice.v1.IResetActivityResponse
  >;
  listTaskQueuePartitions: Rpc<
    temporal.api.workflowservice.v1.IListTaskQueuePartitionsRequest,
    temporal.api.workflowservice.v1.IListTaskQueuePartitionsResponse
  >;
  describeTaskQueue: Rpc<
    temporal.api.workflowservice.v1.IDescribeTaskQueueRequest,
    temporal.api.workflowservice.v1.IDescribeTaskQueueResponse
  >;

  pollWorkflowTaskQueue: Rpc<
    temporal.api.workflowservice.v1.IPollWorkflowTaskQueueRequest,
    temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse
  >;
  respondWorkflowTaskCompleted: Rpc<
    temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest,
    temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedResponse
  >;
  respondWorkflowTaskFailed: Rpc<
    temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedRequest,
    temporal.api.workflowservice.v1.IRespondWorkflowTaskFailedResponse
  >;
  respondQueryTaskCompleted: Rpc<
    temporal.api.workflowservice.v1.IRespondQueryTaskCompletedRequest,
    temporal.api.workflowservice.v1.IRespondQueryTaskCompletedResponse
  >;
  resetStickyTaskQueue: Rpc<
    temporal.api.workflowservice.v1.IResetStickyTaskQueueRequest,
    temporal.api.workflowservice.v1.IResetStickyTaskQueueResponse
  >;
  pollActivityTaskQueue: Rpc<
    temporal.api.workflowservice.v1.IPollActivityTaskQueueRequest,
    temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse
  >;
  recordActivityTaskHeartbeat: Rpc<
    temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatRequest,
    temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatResponse
  >;
  recordActivityTaskHeartbeatById: Rpc<
    temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatByIdRequest,
    temporal.api.workflowservice.v1.IRecordActivityTaskHeartbeatByIdResponse
  >;
  respondActivityTaskCompleted: Rpc<
    temporal.api.workflowservice.v1.IRespondActivityTaskCompletedRequest,
    temporal.api.workflowservice.v1.IRespondActivityTaskCompletedResponse
  >;
  respondActivityTaskCompletedById: Rpc<
    temporal.api.workflowservice.v1.IRespondActivityTaskCompletedByIdRequest,
    temporal.api.workflowservice.v1.IRespondActivityTaskCompletedByIdResponse
  >;
  respondActivityTaskFailed: Rpc<
    temporal.api.workflowservice.v1.IRespondActivityTaskFailedRequest,
    temporal.api.workflowservice.v1.IRespondActivityTaskFailedResponse
  >;
  respondActivityTaskFailedById: Rpc<
    temporal.api.workflowservice.v1.IRespondActivityTaskFailedByIdRequest,
    temporal.api.workflowservice.v1.IRespondActivityTaskFailedByIdResponse
  >;
  respondActivityTaskCanceled: Rpc<
    temporal.api.workflowservice.v1.IRespondActivityTaskCanceledRequest,
    temporal.api.workflowservice.v1.IRespondActivityTaskCanceledResponse
  >;
  respondActivityTaskCanceledById: Rpc<
    temporal.api.workflowservice.v1.IRespondActivityTaskCanceledByIdRequest,
    temporal.api.workflowservice.v1.IRespondActivityTaskCanceledByIdResponse
  >;

  createSchedule: Rpc<
    temporal.api.workflowservice.v1.ICreateScheduleRequest,
    temporal.api.workflowservice.v1.ICreateScheduleResponse
  >;
  describeSchedule: Rpc<
    temporal.api.workflowservice.v1.IDescribeScheduleRequest,
    temporal.api.workflowservice.v1.IDescribeScheduleResponse
  >;
  updateSchedule: Rpc<
    temporal.api.workflowservice.v1.IUpdateScheduleRequest,
    temporal.api.workflowservice.v1.IUpdateScheduleResponse
  >;
  patchSchedule: Rpc<
    temporal.api.workflowservice.v1.IPatchScheduleRequest,
    temporal.api.workflowservice.v1.IPatchScheduleResponse
  >;
  listScheduleMatchingTimes: Rpc<
    temporal.api.workflowservice.v1.IListScheduleMatchingTimesRequest,
    temporal.api.workflowservice.v1.IListScheduleMatchingTimesResponse
  >;
  deleteSchedule: Rpc<
    temporal.api.workflowservice.v1.IDeleteScheduleRequest,
    temporal.api.workflowservice.v1.IDeleteScheduleResponse
  >;
  listSchedules: Rpc<
    temporal.api.workflowservice.v1.IListSchedulesRequest,
    temporal.api.workflowservice.v1.IListSchedulesResponse
  >;
  countSchedules: Rpc<
    temporal.api.workflowservice.v1.ICountSchedulesRequest,
    temporal.api.workflowservice.v1.ICountSchedulesResponse
  >;
}

export type RpcName = keyof WorkflowService;
