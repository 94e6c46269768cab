/**
 * The mutable state of one run (MS-1 … MS-6), as plain data: numbers are epoch or span milliseconds and
 * event ids, maps are never written in place (a transition owns its copies, see draft.ts).
 * Nothing here knows how it is stored; state-codec.ts does.
 */
import type { temporal } from '@temporalio/proto';
import type {
  Failure,
  HistoryEvent,
  Memo,
  ParentClosePolicy,
  Payloads,
  Priority,
  SearchAttributes,
  UpdateRequest,
} from './proto.ts';
import type { BatchState } from './batch/batch-state.ts';
import type { ScheduledBy, ScheduleState } from './schedule/schedule-state.ts';

export type StartedAttributes = temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes;

/** MS-6. `created` until the first workflow task is scheduled; everything from `completed` on is final. */
export type RunStatus =
  | 'created'
  | 'running'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'terminated'
  | 'continuedAsNew'
  | 'timedOut';

export interface RetryPolicy {
  readonly initialIntervalMs: number;
  readonly maximumIntervalMs: number;
  readonly backoffCoefficient: number;
  /** 0 = without limit. */
  readonly maximumAttempts: number;
  readonly nonRetryableErrorTypes: readonly string[];
}

export interface ParentInfo {
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly initiatedEventId: number;
}

/** By name (WT-10). */
export type ContinueAsNewReason = keyof typeof temporal.api.enums.v1.SuggestContinueAsNewReason;

/** MS-3. */
export interface WorkflowTaskInfo {
  readonly scheduledEventId: number;
  /** 0 until started. */
  readonly startedEventId: number;
  readonly requestId: string;
  /** From 1. Above 1 the task is transient: its scheduled and started events are not in the history (WT-3). */
  readonly attempt: number;
  /** Grows whenever a queued copy of this task must die. */
  readonly stamp: number;
  /** A speculative one is in no history yet either, and is never in one when it was for nothing (WT-36 … WT-39). */
  readonly kind: 'normal' | 'speculative';
  readonly timeoutMs: number;
  readonly scheduledTime: number;
  readonly originalScheduledTime: number;
  readonly startedTime: number;
  /** Not to be dispatched before this time (WT-2 backoff); equals scheduledTime otherwise. */
  readonly dispatchTime: number;
  readonly taskQueue: string;
  readonly sticky: boolean;
  /** Only on a sticky queue, 0 otherwise (WT-5). */
  readonly scheduleToStartMs: number;
  readonly identity: string;
  /** The process whose local runtime started it; its death ends the attempt. Undefined for remote workers. */
  readonly processId?: string | undefined;
  readonly historyBytes: number;
  readonly suggestContinueAsNew: boolean;
  /** Of a task whose events are still to be written; absent: none. */
  readonly continueAsNewReasons?: readonly ContinueAsNewReason[] | undefined;
}

/** MS-4, section 4. Its input, header and type stand in the scheduled event. */
export interface ActivityInfo {
  readonly scheduledEventId: number;
  readonly activityId: string;
  readonly activityType: string;
  readonly taskQueue: string;
  readonly attempt: number;
  readonly stamp: number;
  readonly firstScheduledTime: number;
  /** When this attempt became (or becomes, while backing off) dispatchable. */
  readonly scheduledTime: number;
  /** This attempt's task was emitted: a retry's is at the end of its backoff, and only once. */
  readonly dispatched: boolean;
  /** 0 until started. The started event is written late, at close (AC-2). */
  readonly startedTime: number;
  readonly startRequestId: string;
  readonly startedIdentity: string;
  readonly processId?: string | undefined;
  readonly scheduleToCloseMs: number;
  readonly scheduleToStartMs: number;
  readonly startToCloseMs: number;
  /** 0 = none. */
  readonly heartbeatMs: number;
  readonly retryPolicy: RetryPolicy;
  readonly cancelRequestedEventId: number;
  readonly lastHeartbeatTime: number;
  readonly heartbeatDetails?: Payloads | undefined;
  readonly lastFailure?: Failure | undefined;
  readonly lastWorkerIdentity: string;
  readonly lastAttemptCompleteTime: number;
  readonly priority?: Priority | undefined;
  readonly paused: boolean;
  /** Who paused it, and why. */
  readonly pauseInfo: ActivityPause | undefined;
  /** AC-15: the running attempt counts as the first. */
  readonly reset?: boolean | undefined;
  /** How often the process that ran this attempt has died (decision 11); absent: never. */
  readonly processDeaths?: number | undefined;
}

interface ActivityPause {
  readonly time: number;
  readonly identity: string;
  readonly reason: string;
}

export interface RunPause {
  readonly time: number;
  readonly identity: string;
  readonly reason: string;
  readonly requestId: string;
  /** Whether the first workflow task is still to come (MS-6): the row of a paused run says only that it is paused. */
  readonly status: 'created' | 'running';
}

export interface TimerInfo {
  readonly timerId: string;
  readonly startedEventId: number;
  readonly expiryTime: number;
}

/** Section 9. */
export interface ChildInfo {
  readonly initiatedEventId: number;
  /** 0 until the child is known to have started. */
  readonly startedEventId: number;
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowId: string;
  readonly workflowType: string;
  /** Empty until started. */
  readonly runId: string;
  readonly createRequestId: string;
  readonly parentClosePolicy: ParentClosePolicy;
  readonly control: string;
}

/** A signal or cancel request to another run (SG-4, SG-5). */
export interface ExternalInfo {
  readonly initiatedEventId: number;
  /** Made from the run and event ids, so that it is the same after a rebuild. */
  readonly requestId: string;
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowId: string;
  /** Empty = the current run. */
  readonly runId: string;
  readonly control: string;
}

/** Section 8. In the order of admission in its map. */
export interface UpdateInfo {
  readonly updateId: string;
  readonly stage: 'admitted' | 'sent' | 'accepted' | 'rejected';
  /** Until it is accepted or rejected: then its event has it, or nobody. */
  readonly request?: UpdateRequest;
  readonly identity: string;
  /** The event before the task it was sent with; 0 until sent. */
  readonly sequencingEventId: number;
  readonly acceptedEventId: number;
  /** Of a rejected one. */
  readonly failure?: Failure;
  readonly endedTime: number;
}

export interface RequestIdInfo {
  readonly eventType: number;
  readonly eventId: number;
}

export interface ResetPoint {
  readonly buildId: string;
  readonly binaryChecksum: string;
  readonly runId: string;
  readonly firstWorkflowTaskCompletedId: number;
  readonly createTime: number;
  readonly resettable: boolean;
}

export interface RunState {
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly firstRunId: string;
  readonly originalRunId: string;
  /** The run a reset made from this one. */
  readonly resetRunId?: string | undefined;
  /** The run that continues the chain, named by the close event. */
  readonly newRunId?: string | undefined;
  readonly parent?: ParentInfo | undefined;
  readonly root: { readonly workflowId: string; readonly runId: string };
  readonly createRequestId: string;
  readonly requestIds: ReadonlyMap<string, RequestIdInfo>;

  readonly workflowType: string;
  readonly taskQueue: string;
  readonly attempt: number;
  readonly cronSchedule: string;
  readonly retryPolicy?: RetryPolicy | undefined;
  readonly priority?: Priority | undefined;

  readonly status: RunStatus;
  readonly startTime: number;
  /** MS-2: start + first-task backoff. */
  readonly executionTime: number;
  /** 0 = never. */
  readonly runExpirationTime: number;
  readonly executionExpirationTime: number;
  readonly runTimeoutMs: number;
  readonly executionTimeoutMs: number;
  readonly workflowTaskTimeoutMs: number;
  readonly firstTaskBackoffMs: number;
  /** 0 while open. */
  readonly closeTime: number;

  readonly workflowTask?: WorkflowTaskInfo | undefined;
  readonly sticky?: { readonly taskQueue: string; readonly scheduleToStartMs: number } | undefined;
  /** Started event id of the last completed workflow task; 0 before the first. */
  readonly lastCompletedStartedEventId: number;
  /** WT-17. */
  readonly closeAttempted: boolean;
  /** The attempt the next workflow task will have (WT-28); 1 after a success. */
  readonly workflowTaskAttempt: number;
  readonly workflowTaskProblems: number;
  readonly workflowTaskStamp: number;

  readonly activities: ReadonlyMap<number, ActivityInfo>;
  readonly timers: ReadonlyMap<string, TimerInfo>;
  readonly children: ReadonlyMap<number, ChildInfo>;
  readonly externalCancels: ReadonlyMap<number, ExternalInfo>;
  readonly externalSignals: ReadonlyMap<number, ExternalInfo>;
  /** SG-1. Also of what else has its effect once and no event: resets of activities by a batch operation. */
  readonly signalRequestIds: ReadonlySet<string>;
  readonly updates: ReadonlyMap<string, UpdateInfo>;
  /** Update id to the event with its outcome (UP-2). */
  readonly completedUpdates: ReadonlyMap<string, number>;
  /** WT-33. Their ids are not yet assigned. */
  readonly buffered: readonly HistoryEvent[];

  readonly nextEventId: number;
  readonly historyBytes: number;
  readonly signalCount: number;
  readonly memo?: Memo | undefined;
  readonly searchAttributes?: SearchAttributes | undefined;
  readonly resetPoints: readonly ResetPoint[];
  readonly cancelRequested: boolean;
  readonly cancelRequestId: string;
  /** CH-2: a child whose parent does not know it yet; its first workflow task waits. */
  readonly waitsForParent?: boolean | undefined;
  /** Kept only while a retry policy or a cron schedule may start the next run from it (CN-2, CN-3). */
  readonly startAttributes?: StartedAttributes | undefined;
  /** Carried from run to run in a cron chain (CN-3). */
  readonly lastCompletionResult?: Payloads | undefined;
  /** PZ-1: while it is set, the run stands still. */
  readonly pause?: RunPause | undefined;
  /** The schedule that started this chain, and is told of its end. */
  readonly scheduledBy?: ScheduledBy | undefined;
  /** Only of a run that is a schedule: all of its life, for it has no events (see schedule/schedule.ts). */
  readonly schedule?: ScheduleState | undefined;
  /** Only of a run that is a batch operation: all of its life (see batch/batch.ts). */
  readonly batch?: BatchState | undefined;
}

export function isOpen(state: RunState): boolean {
  return state.status === 'created' || state.status === 'running';
}

/** Ids of the activities by activity id; the map itself is keyed by scheduled event id. */
export function activityById(state: RunState, activityId: string): ActivityInfo | undefined {
  for (const activity of state.activities.values()) {
    if (activity.activityId === activityId) return activity;
  }
  return undefined;
}

/**
 * A shallow copy. Written out field by field: V8 gives a spread of so many fields up, and then it takes ten times as
 * long and six times the memory, at every transition.
 */
export function copyOf(s: RunState): {
  -readonly [Field in keyof RunState]-?: RunState[Field];
} {
  return {
    namespaceId: s.namespaceId,
    namespace: s.namespace,
    runId: s.runId,
    createRequestId: s.createRequestId,
    workflowId: s.workflowId,
    firstRunId: s.firstRunId,
    originalRunId: s.originalRunId,
    resetRunId: s.resetRunId,
    newRunId: s.newRunId,
    parent: s.parent,
    root: s.root,
    requestIds: s.requestIds,
    workflowType: s.workflowType,
    taskQueue: s.taskQueue,
    attempt: s.attempt,
    cronSchedule: s.cronSchedule,
    retryPolicy: s.retryPolicy,
    priority: s.priority,
    status: s.status,
    startTime: s.startTime,
    executionTime: s.executionTime,
    runExpirationTime: s.runExpirationTime,
    executionExpirationTime: s.executionExpirationTime,
    runTimeoutMs: s.runTimeoutMs,
    executionTimeoutMs: s.executionTimeoutMs,
    workflowTaskTimeoutMs: s.workflowTaskTimeoutMs,
    firstTaskBackoffMs: s.firstTaskBackoffMs,
    closeTime: s.closeTime,
    workflowTask: s.workflowTask,
    sticky: s.sticky,
    lastCompletedStartedEventId: s.lastCompletedStartedEventId,
    closeAttempted: s.closeAttempted,
    workflowTaskAttempt: s.workflowTaskAttempt,
    workflowTaskProblems: s.workflowTaskProblems,
    workflowTaskStamp: s.workflowTaskStamp,
    activities: s.activities,
    timers: s.timers,
    children: s.children,
    externalCancels: s.externalCancels,
    externalSignals: s.externalSignals,
    signalRequestIds: s.signalRequestIds,
    updates: s.updates,
    completedUpdates: s.completedUpdates,
    buffered: s.buffered,
    nextEventId: s.nextEventId,
    historyBytes: s.historyBytes,
    signalCount: s.signalCount,
    memo: s.memo,
    searchAttributes: s.searchAttributes,
    resetPoints: s.resetPoints,
    cancelRequested: s.cancelRequested,
    cancelRequestId: s.cancelRequestId,
    waitsForParent: s.waitsForParent,
    startAttributes: s.startAttributes,
    lastCompletionResult: s.lastCompletionResult,
    pause: s.pause,
    scheduledBy: s.scheduledBy,
    schedule: s.schedule,
    batch: s.batch,
  };
}

/** A copy to be written. Every activity has the one shape that is written out here, for the same reason. */
export function copyOfActivity(a: ActivityInfo): {
  -readonly [Field in keyof ActivityInfo]-?: ActivityInfo[Field];
} {
  return {
    scheduledEventId: a.scheduledEventId,
    activityId: a.activityId,
    activityType: a.activityType,
    taskQueue: a.taskQueue,
    attempt: a.attempt,
    stamp: a.stamp,
    firstScheduledTime: a.firstScheduledTime,
    scheduledTime: a.scheduledTime,
    dispatched: a.dispatched,
    startedTime: a.startedTime,
    startRequestId: a.startRequestId,
    startedIdentity: a.startedIdentity,
    processId: a.processId,
    scheduleToCloseMs: a.scheduleToCloseMs,
    scheduleToStartMs: a.scheduleToStartMs,
    startToCloseMs: a.startToCloseMs,
    heartbeatMs: a.heartbeatMs,
    retryPolicy: a.retryPolicy,
    cancelRequestedEventId: a.cancelRequestedEventId,
    lastHeartbeatTime: a.lastHeartbeatTime,
    heartbeatDetails: a.heartbeatDetails,
    lastFailure: a.lastFailure,
    lastWorkerIdentity: a.lastWorkerIdentity,
    lastAttemptCompleteTime: a.lastAttemptCompleteTime,
    priority: a.priority,
    paused: a.paused,
    pauseInfo: a.pauseInfo,
    reset: a.reset,
    processDeaths: a.processDeaths,
  };
}

/** A copy to be written, in the one shape of all workflow tasks. */
export function copyOfWorkflowTask(t: WorkflowTaskInfo): {
  -readonly [Field in keyof WorkflowTaskInfo]-?: WorkflowTaskInfo[Field];
} {
  return {
    scheduledEventId: t.scheduledEventId,
    startedEventId: t.startedEventId,
    requestId: t.requestId,
    attempt: t.attempt,
    stamp: t.stamp,
    kind: t.kind,
    timeoutMs: t.timeoutMs,
    scheduledTime: t.scheduledTime,
    originalScheduledTime: t.originalScheduledTime,
    startedTime: t.startedTime,
    dispatchTime: t.dispatchTime,
    taskQueue: t.taskQueue,
    sticky: t.sticky,
    scheduleToStartMs: t.scheduleToStartMs,
    identity: t.identity,
    processId: t.processId,
    historyBytes: t.historyBytes,
    suggestContinueAsNew: t.suggestContinueAsNew,
    continueAsNewReasons: t.continueAsNewReasons,
  };
}
