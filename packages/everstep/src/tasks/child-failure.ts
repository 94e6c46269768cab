/** The failure that stands for the event that closed a child without a result. */
import type { LoadedDataConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { HistoryEvent } from './journal.ts';

type Failure = temporal.api.failure.v1.IFailure;

const { RetryState, TimeoutType } = proto.temporal.api.enums.v1;

export function childFailure(
  event: HistoryEvent,
  { failureConverter, payloadConverter }: LoadedDataConverter,
): Error {
  const failed = event.childWorkflowExecutionFailedEventAttributes;
  const timedOut = event.childWorkflowExecutionTimedOutEventAttributes;
  const canceled = event.childWorkflowExecutionCanceledEventAttributes;
  const terminated = event.childWorkflowExecutionTerminatedEventAttributes;
  const attributes = failed ?? timedOut ?? canceled ?? terminated;
  const what = failed
    ? 'failed'
    : timedOut
      ? 'timed out'
      : canceled
        ? 'was cancelled'
        : 'was terminated';
  const { workflowExecution, workflowType } = attributes ?? {};
  const failure: Failure = {
    message: `Child ${workflowExecution?.workflowId ?? ''} ${what}`,
    source: 'TypeScriptSDK',
    cause: causeOf(event),
    childWorkflowExecutionFailureInfo: {
      namespace: attributes?.namespace ?? '',
      workflowExecution: workflowExecution ?? null,
      workflowType: workflowType ?? null,
      initiatedEventId: attributes?.initiatedEventId ?? null,
      startedEventId: attributes?.startedEventId ?? null,
      retryState: (failed ?? timedOut)?.retryState ?? RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    },
  };
  return failureConverter.failureToError(failure, payloadConverter);
}

function causeOf(event: HistoryEvent): Failure {
  const failed = event.childWorkflowExecutionFailedEventAttributes;
  if (failed?.failure) return failed.failure;
  if (event.childWorkflowExecutionTimedOutEventAttributes) {
    return {
      message: 'The child workflow took longer than its timeout',
      timeoutFailureInfo: { timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE },
    };
  }
  const canceled = event.childWorkflowExecutionCanceledEventAttributes;
  if (canceled) {
    return {
      message: 'The child workflow was cancelled',
      canceledFailureInfo: canceled.details ? { details: canceled.details } : {},
    };
  }
  return { message: 'The child workflow was terminated', terminatedFailureInfo: {} };
}
