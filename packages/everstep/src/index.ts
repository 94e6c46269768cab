/** The public API: a list of exports and nothing else. docs/reference/api.md says what each is. */
export {
  AsyncTask,
  TemporalAsyncTask,
  type CancelOptions,
  type ResultOptions,
} from './tasks/async-task.ts';
export {
  AsyncTaskComponent,
  type AnyAsyncTask,
  type Registrable,
  type StopOptions,
} from './component/async-task-component.ts';
export type {
  AsyncTaskComponentOptions,
  ConcurrencyOptions,
} from './component/component-options.ts';
export type {
  RetryPolicy,
  StepContext,
  StepDescriptor,
  StepOptions,
  TaskFunction,
  TaskLimit,
  TaskOptions,
  Timeouts,
} from './tasks/definition.ts';
export {
  Workflow,
  workflow,
  type AnyWorkflow,
  type WorkflowOf,
  type WorkflowOptions,
} from './tasks/workflow.ts';
export type { WorkflowStartOptions } from './tasks/start-options.ts';
export type {
  ChildWorkflowHandle,
  ChildWorkflowOptions,
  ContextBranch,
  ContinueAsNewOptions,
  Saga,
  UpdateOptions,
  WorkflowContext,
  WorkflowFunction,
  WorkflowInfo,
  WorkflowLike,
} from './tasks/workflow-context.ts';
export {
  Activity,
  activity,
  type ActivityDefinition,
  type ActivityFunction,
  type ActivityOptions,
  type ActivityRetry,
  type AnyActivity,
  type ExecuteActivityOptions,
} from './tasks/activity.ts';
export { CompensationFailed } from './tasks/saga.ts';
export { all, signal, sleep, step, type WaitOptions, type Yieldable } from './tasks/steps.ts';
export { remoteJob, type PollResult, type RemoteJobOptions } from './tasks/remote-job.ts';
export { retryAfterMs } from './tasks/retry-after.ts';
export type { Duration } from './tasks/duration.ts';
export { TaskPuller, type PullerState, type PullerStatus } from './integrations/task-puller.ts';
export type {
  BackpressureOptions,
  PollingOptions,
  PullRetryOptions,
  TaskPullerOptions,
} from './integrations/puller-options.ts';
export type { SubmitOptions } from './tasks/submit-task.ts';
export type { TransactionHandle } from './tasks/in-transaction.ts';
export type { TaskState, TaskStatus } from './tasks/task-status.ts';
export type { TaskFailure } from './tasks/failure-summary.ts';
export type { ListQuery, TaskList, TaskPage } from './tasks/list-tasks.ts';
export type { TaskSummary } from './tasks/listed-tasks.ts';
export type { WebhookDelivery } from './tasks/webhook.ts';
export type { StandardSchema } from './tasks/standard-schema.ts';
export {
  WorkflowCollector,
  collectIntegrationWorkflows,
  type IntegrationWorkflowInfo,
  type WorkflowCollection,
  type WorkflowCollectorOptions,
} from './integrations/workflow-collector.ts';
export type { AsyncTaskProvider } from './integrations/integration-tasks.ts';
export type { DiscoveryFailure } from './integrations/integration-folder.ts';
export {
  loadDomains,
  type DomainCollection,
  type LoadDomainsOptions,
} from './integrations/load-domains.ts';
export type { DomainActivity, DomainBundle, DomainInfo } from './integrations/domain.ts';
export { WorkerManager } from './integrations/worker-manager.ts';
export type { WorkerManagerOptions } from './integrations/manager-options.ts';
export type { WorkerStatus } from './integrations/held-worker.ts';
export type { WorkerState } from './integrations/worker-state.ts';
export { EverstepError, type ErrorCode } from './service/error-codes.ts';
export type { Logger, LogFields } from './service/logger.ts';
export type { StoreOnPool } from './component/store-of.ts';
export { StoreError, type Store, type StoreErrorCode } from './store/store.ts';
export {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
