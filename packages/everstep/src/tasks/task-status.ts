/**
 * What a task's status is, read from its run's description and history alone: no worker, no query, the same on
 * every engine. Pure; payloads stay as they are, task-reader.ts decodes them. The history is the truth; the
 * description adds what no event tells (attempts, heartbeats, next tries) for what the history has open.
 */
import type { Payload } from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { TaskFailure } from './failure-summary.ts';

export type TaskState =
  'pending' | 'processing' | 'completed' | 'failed' | 'cancelled' | 'not_found';

/** A task's status. Times are epoch milliseconds. */
export interface TaskStatus<TResult = unknown> {
  readonly taskId: string;
  /**
   * `pending`: accepted, no step has started; nor does a first step count whose process died, until it starts again.
   * `processing`: a step has started. `completed`; `failed` (timed out is failed
   * too); `cancelled` (terminated is cancelled too, with the reason in `failure`); `not_found`: no such task, or
   * it is no longer kept.
   */
  readonly status: TaskState;
  /** Of a completed task. */
  readonly result?: TResult;
  /** Why it ended without a result; while it is still running, why the last attempt failed. In one line. */
  readonly error?: string;
  /** The same, with type, details, stack and causes. */
  readonly failure?: TaskFailure;
  /** When it was accepted; 0 for `not_found`. */
  readonly createdAt: number;
  /** When its first step started. */
  readonly startedAt?: number;
  readonly completedAt?: number;
  /** Key of the step that runs or waits to be run; of several, the one scheduled first. */
  readonly currentStep?: string;
  /** Keys of the completed steps, in the order of their completion. */
  readonly completedSteps?: readonly string[];
  /** Attempts of the current step, else of the last one that ended. */
  readonly attempts?: number;
  /** When the current step is tried again. */
  readonly nextRetryAt?: number;
  /** What the current step last gave to `progress()`. */
  readonly progress?: unknown;
}

export type RunDescription = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;
type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

/** The type of the failure with which a poll says "not yet": no error to show. */
export const notYetType = 'RemoteJobNotYet';

/** How a run ended. `details` of a cancelled run are the canceller's or the code's own. */
export type RunEnd =
  | { readonly kind: 'completed'; readonly result: Payload | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'cancelled'; readonly failure: Failure }
  /** The chain goes on in another run: continue-as-new, a retry of the run, cron. */
  | { readonly kind: 'continued'; readonly runId: string };

export interface StatusView {
  readonly status: Exclude<TaskState, 'not_found'>;
  readonly end?: RunEnd;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly completedAt?: number;
  readonly currentStep?: string;
  readonly completedSteps: readonly string[];
  readonly attempts?: number;
  readonly nextRetryAt?: number;
  readonly lastFailure?: Failure;
  readonly progress?: Payload;
}

const { PendingActivityState, TimeoutType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** A failed workflow task that is no fault of the code: it only met a newer event, or a reset. */
const passingCauses: ReadonlySet<number> = new Set([
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
]);

/** The status of one run. `createdAt` is the run's own start; a chain's is its first run's. */
export function statusView(
  description: RunDescription,
  events: readonly HistoryEvent[],
): StatusView {
  const steps = stepsOf(events);
  const last = events.at(-1);
  const end = last === undefined ? undefined : runEnd(last, cancelReason(events));
  const pending =
    end === undefined
      ? (description.pendingActivities ?? []).filter(
          ({ activityId }) => !steps.closed.has(activityId ?? ''),
        )
      : [];
  const current = pending.find((activity) => startedAtOf(activity) > 0) ?? pending[0];
  const startedAt = Math.min(
    steps.startedAt,
    ...pending.map((activity) => startedAtOf(activity)).filter((time) => time > 0),
  );
  const started = Number.isFinite(startedAt) || steps.anyClosed || pending.some(hasRun);
  const failure = end === undefined ? (current?.lastFailure ?? steps.problem) : undefined;
  const attempts = current?.attempt ?? steps.attempts;
  const progress = progressOf(current) ?? pending.map(progressOf).find((one) => one !== undefined);
  // A step may have been scheduled after the description was read.
  const currentStep =
    end === undefined ? shownKey(current?.activityId ?? steps.open[0] ?? '') : undefined;
  const nextRetryAt = current === undefined ? undefined : nextRetryAtOf(current);
  return {
    status: stateOf(end, started),
    createdAt:
      optionalTsToMs(description.workflowExecutionInfo?.startTime) ??
      optionalTsToMs(events[0]?.eventTime) ??
      0,
    completedSteps: steps.completed,
    ...(end !== undefined && { end, completedAt: optionalTsToMs(last?.eventTime) ?? 0 }),
    ...(Number.isFinite(startedAt) && { startedAt }),
    ...(currentStep !== undefined && { currentStep }),
    ...(attempts && { attempts }),
    ...(nextRetryAt && { nextRetryAt }),
    ...(failure && failure.applicationFailureInfo?.type !== notYetType && { lastFailure: failure }),
    ...(progress !== undefined && { progress }),
  };
}

/** What the first cancel request gave as its reason; empty when it gave none. */
export function cancelReason(events: readonly HistoryEvent[]): string {
  const requested = events.find((event) => event.workflowExecutionCancelRequestedEventAttributes);
  return requested?.workflowExecutionCancelRequestedEventAttributes?.cause ?? '';
}

/** The end that an event writes; undefined when it is no close event. The reason stands in another event. */
export function runEnd(event: HistoryEvent, reasonOfCancel = ''): RunEnd | undefined {
  const completed = event.workflowExecutionCompletedEventAttributes;
  const failed = event.workflowExecutionFailedEventAttributes;
  const timedOut = event.workflowExecutionTimedOutEventAttributes;
  const next =
    event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ||
    completed?.newExecutionRunId ||
    failed?.newExecutionRunId ||
    timedOut?.newExecutionRunId;
  if (next) return { kind: 'continued', runId: next };
  if (completed) return { kind: 'completed', result: completed.result?.payloads?.[0] };
  if (failed) return { kind: 'failed', failure: failed.failure ?? { message: 'The task failed.' } };
  if (timedOut) {
    return {
      kind: 'failed',
      failure: {
        message: 'The task did not finish within its time.',
        timeoutFailureInfo: { timeoutType: TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE },
      },
    };
  }
  const cancelled = event.workflowExecutionCanceledEventAttributes;
  if (cancelled) {
    return {
      kind: 'cancelled',
      failure: {
        message: reasonOfCancel || 'The task was cancelled.',
        canceledFailureInfo: cancelled.details ? { details: cancelled.details } : {},
      },
    };
  }
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated) {
    return {
      kind: 'cancelled',
      failure: {
        message: terminated.reason || 'The task was terminated.',
        terminatedFailureInfo: {},
      },
    };
  }
  return undefined;
}

/**
 * `#` is ours: `key#2` is a loop's second round and shown, `key#submit` is a part of the step `key`, and what
 * begins with `#` has no name at all.
 */
export function isInternalKey(key: string): boolean {
  return /^#|#(?!\d+(?:#|$))/.test(key);
}

/** The part of a composed step that brings its value: with it the step has completed. */
const lastPart = /^(.+)#poll(?:#\d+)?$/;

/** What `completedSteps` shows for a key that completed; undefined: nothing. */
function completedKey(key: string, before: readonly string[]): string | undefined {
  if (!isInternalKey(key)) return key;
  const name = lastPart.exec(key)?.[1];
  if (name === undefined || !before.includes(name)) return name;
  return `${name}#${before.filter((one) => one === name || one.startsWith(`${name}#`)).length + 1}`;
}

function shownKey(key: string): string | undefined {
  const shown = isInternalKey(key) ? key.slice(0, key.search(/#(?!\d+(?:#|$))/)) : key;
  return shown === '' ? undefined : shown;
}

interface Steps {
  readonly completed: readonly string[];
  readonly closed: ReadonlySet<string>;
  /** Scheduled and not closed, oldest first. */
  readonly open: readonly string[];
  readonly anyClosed: boolean;
  /** Infinity when none has started. */
  readonly startedAt: number;
  readonly attempts: number | undefined;
  /** Why the last workflow task failed, when none has succeeded since. */
  readonly problem: Failure | undefined;
}

function stepsOf(events: readonly HistoryEvent[]): Steps {
  const keys = new Map<string, string>();
  const completed: string[] = [];
  const closed = new Set<string>();
  let anyClosed = false;
  let startedAt = Infinity;
  let attempts: number | undefined;
  let problem: Failure | undefined;
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      keys.set(String(event.eventId ?? ''), scheduled.activityId ?? '');
      // A key that failed before a retry of the task is scheduled again.
      closed.delete(scheduled.activityId ?? '');
      continue;
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started || event.timerStartedEventAttributes) {
      startedAt = Math.min(startedAt, optionalTsToMs(event.eventTime) ?? Infinity);
      if (started?.attempt) attempts = started.attempt;
    }
    const close =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (close) {
      const key = keys.get(String(close.scheduledEventId ?? '')) ?? '';
      closed.add(key);
      if (Number(close.startedEventId ?? 0) > 0) anyClosed = true;
      if (event.activityTaskCompletedEventAttributes) {
        const done = completedKey(key, completed);
        if (done !== undefined) completed.push(done);
      }
    }
    if (event.workflowTaskCompletedEventAttributes) problem = undefined;
    const failed = event.workflowTaskFailedEventAttributes;
    if (failed && !passingCauses.has(failed.cause ?? 0)) problem = failed.failure ?? undefined;
  }
  const open = [...keys.values()].filter((key) => !closed.has(key));
  return { completed, closed, open, anyClosed, startedAt, attempts, problem };
}

function stateOf(end: RunEnd | undefined, started: boolean): StatusView['status'] {
  switch (end?.kind) {
    case 'completed':
    case 'failed':
    case 'cancelled':
      return end.kind;
    case 'continued':
      return 'processing';
    case undefined:
      return started ? 'processing' : 'pending';
  }
}

function hasRun(activity: PendingActivity): boolean {
  return startedAtOf(activity) > 0 || (activity.attempt ?? 1) > 1;
}

function startedAtOf(activity: PendingActivity): number {
  return optionalTsToMs(activity.lastStartedTime) ?? 0;
}

function nextRetryAtOf(activity: PendingActivity): number | undefined {
  if (activity.state !== PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED) return undefined;
  if ((activity.attempt ?? 1) <= 1) return undefined;
  return optionalTsToMs(activity.nextAttemptScheduleTime ?? activity.scheduledTime);
}

/** A step's heartbeat is `[details, progress]`; an official worker's may be anything, and has none. */
function progressOf(activity: PendingActivity | undefined): Payload | undefined {
  return activity?.heartbeatDetails?.payloads?.[1] ?? undefined;
}
