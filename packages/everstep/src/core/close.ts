/**
 * Everything that ends a run: the four close commands, terminate, and the two timeouts (sections 2, 10, 11).
 * Whatever ends it, `closeRun` leaves it closed for good: no task, no buffer, children and parent told.
 */
import { accepted, alreadyCompleted } from './answer.ts';
import { checkSearchAttributes, registryOf } from './attributes.ts';
import { dropBuffer, flushBuffer } from './buffer.ts';
import { afterFailure, nextTick, startNextRun } from './chain.ts';
import type { NextRun } from './chain.ts';
import { closeChildren } from './child.ts';
import type { CommandHandler, CommandProblem } from './command.ts';
import { validateCron } from './cron.ts';
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { timeoutFailure } from './failure.ts';
import type { Answer, InputOf, Link } from './input.ts';
import { failureBytes, memoBytes, payloadsBytes, searchAttributesBytes } from './payload-size.ts';
import {
  ContinueAsNewInitiator,
  EventType,
  RetryState,
  TimeoutType,
  WorkflowTaskFailedCause,
} from './proto.ts';
import type { Command, Failure, HistoryEvent, Payloads } from './proto.ts';
import { retryPolicyFromWire, validateRetryPolicy } from './retry.ts';
import { isOpen } from './state.ts';
import type { RunStatus } from './state.ts';
import { durationOf, longOf, msOfDuration, msOfTimestamp } from './time.ts';
import { applyFailed, dropFailedTask } from './workflow-task.ts';

const causes = WorkflowTaskFailedCause;

/** WT-16: events the worker has not seen; a timer it cancelled in the same answer no longer counts (WT-18). */
function unseenEvents(draft: Draft): CommandProblem | undefined {
  const before = draft.bufferedBefore;
  if (before.length === 0 || !draft.state.buffered.some((event) => before.includes(event)))
    return undefined;
  return { cause: causes.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, message: '' };
}

function oversized(
  draft: Draft,
  bytes: number,
  cause: WorkflowTaskFailedCause,
  message: string,
): CommandProblem | undefined {
  return bytes > draft.env.limits.payloadBytesMax ? { cause, message, terminate: true } : undefined;
}

export const completeWorkflow: CommandHandler = (draft, command, context) => {
  const unseen = unseenEvents(draft);
  if (unseen) return unseen;
  const cause = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES;
  const attributes = command.completeWorkflowExecutionCommandAttributes;
  if (!attributes) return { cause, message: notSet('CompleteWorkflowExecution') };
  const result = attributes.result ?? undefined;
  const large = oversized(
    draft,
    payloadsBytes(result),
    cause,
    'CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.',
  );
  if (large) return large;
  const next = nextTick(draft, undefined, result);
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    {
      workflowExecutionCompletedEventAttributes: {
        ...(result && { result }),
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        newExecutionRunId: next?.runId ?? '',
      },
    },
    { userMetadata: command.userMetadata },
  );
  closeRun(draft, event, next);
  return undefined;
};

export const failWorkflow: CommandHandler = (draft, command, context) => {
  const unseen = unseenEvents(draft);
  if (unseen) return unseen;
  const cause = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const attributes = command.failWorkflowExecutionCommandAttributes;
  if (!attributes) return { cause, message: notSet('FailWorkflowExecution') };
  const failure = attributes.failure;
  if (!failure) return { cause, message: 'Failure is not set on FailWorkflowExecutionCommand.' };
  const large = oversized(
    draft,
    failureBytes(failure),
    cause,
    'FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.',
  );
  if (large) return large;
  const { retryState, next } = afterFailure(draft, failure);
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    {
      workflowExecutionFailedEventAttributes: {
        failure,
        retryState,
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        newExecutionRunId: next?.runId ?? '',
      },
    },
    { userMetadata: command.userMetadata },
  );
  closeRun(draft, event, next);
  return undefined;
};

export const cancelWorkflow: CommandHandler = (draft, command, context) => {
  const unseen = unseenEvents(draft);
  if (unseen) return unseen;
  const attributes = command.cancelWorkflowExecutionCommandAttributes;
  const cause = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES;
  if (!attributes) return { cause, message: notSet('CancelWorkflowExecution') };
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    {
      workflowExecutionCanceledEventAttributes: {
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        ...(attributes.details && { details: attributes.details }),
      },
    },
    { userMetadata: command.userMetadata },
  );
  closeRun(draft, event);
  return undefined;
};

/** CN-1. */
export const continueAsNew: CommandHandler = (draft, command, context) => {
  const unseen = unseenEvents(draft);
  if (unseen) return unseen;
  const cause = causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
  const attributes = command.continueAsNewWorkflowExecutionCommandAttributes;
  if (!attributes) return { cause, message: notSet('ContinueAsNewWorkflowExecution') };
  const { state, env } = draft;
  const spans = [
    attributes.workflowRunTimeout,
    attributes.workflowTaskTimeout,
    attributes.backoffStartInterval,
  ];
  if (spans.some((span) => msOfDuration(span) < 0)) {
    return {
      cause,
      message: 'A negative duration is set on ContinueAsNewWorkflowExecutionCommand.',
    };
  }
  const unfit = checkNextRun(draft, attributes);
  if (unfit !== undefined) return { cause, message: unfit };
  const badAttributes = checkSearchAttributes(
    attributes.searchAttributes,
    env.limits,
    registryOf(draft),
  );
  if (badAttributes !== undefined) {
    return {
      cause: causes.WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
      message: `invalid SearchAttributes on ContinueAsNewWorkflowExecutionCommand: ${badAttributes}`,
    };
  }
  const prefix = 'ContinueAsNewWorkflowExecutionCommandAttributes.';
  const large =
    oversized(
      draft,
      payloadsBytes(attributes.input),
      cause,
      `${prefix} Input exceeds size limit.`,
    ) ??
    (memoBytes(attributes.memo) > env.limits.memoBytesMax
      ? { cause, message: `${prefix} Memo exceeds size limit.`, terminate: true }
      : undefined) ??
    (searchAttributesBytes(attributes.searchAttributes) > env.limits.searchAttributesBytesMax
      ? { cause, message: `${prefix} SearchAttributes exceed size limit.`, terminate: true }
      : undefined);
  if (large) return large;

  const workflowType = attributes.workflowType?.name || state.workflowType;
  const taskQueue = attributes.taskQueue?.name || state.taskQueue;
  const runTimeoutMs = Math.min(
    msOfDuration(attributes.workflowRunTimeout) || state.runTimeoutMs,
    state.executionTimeoutMs || Infinity,
  );
  const taskTimeoutMs = msOfDuration(attributes.workflowTaskTimeout) || state.workflowTaskTimeoutMs;
  const backoffMs = msOfDuration(attributes.backoffStartInterval);
  const lastCompletionResult = attributes.lastCompletionResult ?? undefined;
  const shared = {
    workflowType: { name: workflowType },
    input: attributes.input ?? null,
    header: attributes.header ?? null,
    ...(runTimeoutMs > 0 && { workflowRunTimeout: durationOf(runTimeoutMs) }),
    workflowTaskTimeout: durationOf(taskTimeoutMs),
    memo: attributes.memo ?? null,
    searchAttributes: attributes.searchAttributes ?? null,
  };
  const next: NextRun = {
    runId: env.random.uuid(),
    request: {
      ...shared,
      workflowId: state.workflowId,
      taskQueue: { name: taskQueue },
      workflowExecutionTimeout: durationOf(state.executionTimeoutMs),
      retryPolicy: attributes.retryPolicy ?? null,
      cronSchedule: attributes.cronSchedule ?? '',
      priority: state.priority ?? null,
    },
    initiator: attributes.initiator || ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW,
    backoffMs,
    attempt: 1,
    continuedFailure: attributes.failure ?? undefined,
    lastCompletionResult,
  };
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    {
      workflowExecutionContinuedAsNewEventAttributes: {
        ...shared,
        newExecutionRunId: next.runId,
        taskQueue: { name: taskQueue, kind: 1 },
        workflowTaskCompletedEventId: longOf(context.workflowTaskCompletedEventId),
        ...(backoffMs > 0 && { backoffStartInterval: durationOf(backoffMs) }),
        // As the command has it; the next run's start says who continued it.
        initiator: attributes.initiator ?? null,
        failure: attributes.failure ?? null,
        lastCompletionResult: lastCompletionResult ?? null,
      },
    },
    { userMetadata: command.userMetadata },
  );
  closeRun(draft, event, next);
  return undefined;
};

function checkNextRun(
  draft: Draft,
  attributes: NonNullable<Command['continueAsNewWorkflowExecutionCommandAttributes']>,
): string | undefined {
  const name = 'ContinueAsNewWorkflowExecutionCommand';
  const retry =
    attributes.retryPolicy && validateRetryPolicy(retryPolicyFromWire(attributes.retryPolicy));
  if (retry) return `invalid WorkflowRetryPolicy on ${name}: ${retry}.`;
  if (!attributes.cronSchedule) return undefined;
  const cron = validateCron(attributes.cronSchedule, draft.now);
  return cron.ok ? undefined : `invalid CronSchedule on ${name}: ${cron.message}.`;
}

function notSet(name: string): string {
  return `${name}CommandAttributes is not set on ${name}Command.`;
}

export interface Termination {
  readonly reason: string;
  readonly identity: string;
  readonly details?: Payloads | null | undefined;
  readonly links?: readonly Link[] | undefined;
  /** Why a started workflow task ends; terminating it by force is the default. */
  readonly cause?: WorkflowTaskFailedCause;
  readonly failure?: Failure | null | undefined;
  /** The run of a reset that goes on in the place of this one. */
  readonly successor?: Successor;
}

/** What a run goes on with that another leaves: neither is told, or ended, with the end of the other. */
interface Successor {
  readonly children: boolean;
  /** For its parent and for its schedule it is the same child, or the same action. */
  readonly place: boolean;
}

export function terminate(draft: Draft, input: InputOf<'terminate'>): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted(); // TR-1
  terminateRun(draft, input);
  return accepted;
}

export function terminateRun(draft: Draft, termination: Termination): void {
  endStartedTask(draft, termination);
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    {
      workflowExecutionTerminatedEventAttributes: {
        reason: termination.reason,
        ...(termination.details && { details: termination.details }),
        identity: termination.identity,
      },
    },
    termination.links ? { links: [...termination.links] } : undefined,
  );
  endRun(draft, event);
  if (!termination.successor?.children) closeChildren(draft);
  if (!termination.successor?.place) tellOfEnd(draft);
}

/** CN-4. After the run timeout a retry or a tick may follow; the execution timeout ends the chain. */
export function timeOutRun(draft: Draft): void {
  const { state, now } = draft;
  endStartedTask(draft, {});
  const executionOver = state.executionExpirationTime > 0 && now >= state.executionExpirationTime;
  const failure = timeoutFailure({
    message: 'workflow timeout',
    timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE,
  });
  const { retryState, next } = executionOver
    ? { retryState: RetryState.RETRY_STATE_TIMEOUT, next: undefined }
    : afterFailure(draft, failure);
  const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, {
    workflowExecutionTimedOutEventAttributes: { retryState, newExecutionRunId: next?.runId ?? '' },
  });
  closeRun(draft, event, next);
}

/** Table EV, last row: a started task fails by force, then what waited for it is written, then the close. */
function endStartedTask(
  draft: Draft,
  end: {
    readonly cause?: WorkflowTaskFailedCause;
    readonly failure?: Failure | null | undefined;
  },
): void {
  const task = draft.state.workflowTask;
  if (task?.kind === 'speculative' && task.startedEventId === 0) {
    // Nobody has it, and nobody will: it was for nothing (WT-38).
    draft.state.workflowTask = undefined;
  } else if (task && task.startedEventId !== 0) {
    if (task.attempt > 1) {
      dropFailedTask(draft, false);
    } else {
      applyFailed(
        draft,
        draft.add(EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, {
          workflowTaskFailedEventAttributes: {
            scheduledEventId: longOf(task.scheduledEventId),
            startedEventId: longOf(task.startedEventId),
            cause: end.cause ?? causes.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
            ...(end.failure && { failure: end.failure }),
            identity: 'history-service',
          },
        }),
      );
    }
  }
  flushBuffer(draft);
}

/** EV-1: the run is closed for good, and those who depend on it hear of it. */
function closeRun(draft: Draft, event: HistoryEvent, next?: NextRun): void {
  endRun(draft, event);
  closeChildren(draft);
  if (next) {
    startNextRun(draft, next);
    return;
  }
  tellOfEnd(draft);
}

function tellOfEnd({ state, outbox }: Draft): void {
  if (state.parent) outbox.push({ kind: 'notifyParent' }); // CH-3
  if (state.scheduledBy) outbox.push({ kind: 'notifySchedule' });
}

function endRun(draft: Draft, event: HistoryEvent): void {
  const { state } = draft;
  applyClose(draft, event);
  dropBuffer(draft);
  for (const activity of state.activities.values()) {
    if (activity.startedTime === 0 || !activity.processId) continue;
    draft.interrupts.push({
      processId: activity.processId,
      scheduledEventId: activity.scheduledEventId,
      activityId: activity.activityId,
      attempt: activity.attempt,
      reason: 'gone',
    });
  }
}

const statuses: Partial<Record<EventType, RunStatus>> = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]: 'completed',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED]: 'failed',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT]: 'timedOut',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED]: 'canceled',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]: 'terminated',
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW]: 'continuedAsNew',
};

/**
 * MS-6. Pending things stay in the closed state: a client may still ask what was pending. Queries go to the normal
 * queue from now on, for a worker keeps no cache of what has ended.
 */
function applyClose(draft: Draft, event: HistoryEvent): void {
  const { state } = draft;
  state.status = (event.eventType && statuses[event.eventType]) || 'terminated';
  state.closeTime = msOfTimestamp(event.eventTime);
  state.workflowTask = undefined;
  state.sticky = undefined;
  const newRunId =
    event.workflowExecutionCompletedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionFailedEventAttributes?.newExecutionRunId ||
    event.workflowExecutionTimedOutEventAttributes?.newExecutionRunId ||
    event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  if (newRunId) state.newRunId = newRunId;
}

export const closeEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED]: applyClose,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED]: applyClose,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT]: applyClose,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED]: applyClose,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED]: applyClose,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW]: applyClose,
};
