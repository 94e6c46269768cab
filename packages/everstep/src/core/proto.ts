/** The wire's types under the short names this house uses. Type-only except for the enums. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type EventAttributes = Omit<
  HistoryEvent,
  | 'eventId'
  | 'eventTime'
  | 'eventType'
  | 'version'
  | 'taskId'
  | 'workerMayIgnore'
  | 'userMetadata'
  | 'links'
  | 'principal'
  | 'eventGroupMarkers'
>;
export type Command = temporal.api.command.v1.ICommand;
export type Failure = temporal.api.failure.v1.IFailure;
export type Payload = temporal.api.common.v1.IPayload;
export type Payloads = temporal.api.common.v1.IPayloads;
export type Header = temporal.api.common.v1.IHeader;
export type Memo = temporal.api.common.v1.IMemo;
export type SearchAttributes = temporal.api.common.v1.ISearchAttributes;
export type WireRetryPolicy = temporal.api.common.v1.IRetryPolicy;
export type TaskQueue = temporal.api.taskqueue.v1.ITaskQueue;
export type Priority = temporal.api.common.v1.IPriority;
export type UserMetadata = temporal.api.sdk.v1.IUserMetadata;
export type UpdateRequest = temporal.api.update.v1.IRequest;
export type UpdateOutcome = temporal.api.update.v1.IOutcome;
export type Acceptance = temporal.api.update.v1.IAcceptance;
export type Rejection = temporal.api.update.v1.IRejection;
export type UpdateResponse = temporal.api.update.v1.IResponse;
export type UpdateMessage = temporal.api.protocol.v1.IMessage;
export type WireWorkflowExecution = temporal.api.common.v1.IWorkflowExecution;

const enums = proto.temporal.api.enums.v1;
export const EventType = enums.EventType;
export type EventType = temporal.api.enums.v1.EventType;
export const CommandType = enums.CommandType;
export type CommandType = temporal.api.enums.v1.CommandType;
export const RetryState = enums.RetryState;
export type RetryState = temporal.api.enums.v1.RetryState;
export const TaskQueueKind = enums.TaskQueueKind;
export const TimeoutType = enums.TimeoutType;
export type TimeoutType = temporal.api.enums.v1.TimeoutType;
export const WorkflowTaskFailedCause = enums.WorkflowTaskFailedCause;
export type WorkflowTaskFailedCause = temporal.api.enums.v1.WorkflowTaskFailedCause;
export const ParentClosePolicy = enums.ParentClosePolicy;
export type ParentClosePolicy = temporal.api.enums.v1.ParentClosePolicy;
export const WorkflowIdReusePolicy = enums.WorkflowIdReusePolicy;
export type WorkflowIdReusePolicy = temporal.api.enums.v1.WorkflowIdReusePolicy;
export const WorkflowIdConflictPolicy = enums.WorkflowIdConflictPolicy;
export type WorkflowIdConflictPolicy = temporal.api.enums.v1.WorkflowIdConflictPolicy;
export const WorkflowExecutionStatus = enums.WorkflowExecutionStatus;
export type WorkflowExecutionStatus = temporal.api.enums.v1.WorkflowExecutionStatus;
export const ContinueAsNewInitiator = enums.ContinueAsNewInitiator;
export type ContinueAsNewInitiator = temporal.api.enums.v1.ContinueAsNewInitiator;
