/**
 * Everything that can happen to a run, as data. An input names what it needs by id and carries the wire's own
 * messages where they end up in an event. Inputs may be applied again to a newer state after a conflict,
 * so they never hold a reference into a state.
 */
import type { temporal } from '@temporalio/proto';
import type {
  ActivityOptionField,
  OriginalOptions,
  WireActivityOptions,
} from './activity-option-field.ts';
import type { BatchInput, BatchMessage, BatchReplies } from './batch/batch-input.ts';
import type { Refusal } from './refusal.ts';
import type { RunOptionField } from './run-option-field.ts';
import type { ScheduleInput, ScheduleMessage, ScheduleReplies } from './schedule/schedule-input.ts';
import type { ScheduledBy } from './schedule/schedule-state.ts';
import type { ActivityInfo, ParentInfo, WorkflowTaskInfo, ResetPoint } from './state.ts';
import type {
  Command,
  ContinueAsNewInitiator,
  Failure,
  Header,
  HistoryEvent,
  ParentClosePolicy,
  Payloads,
  Priority,
  UpdateMessage,
  UpdateRequest,
} from './proto.ts';

export type StartRequest = temporal.api.workflowservice.v1.IStartWorkflowExecutionRequest;
export type SignalWithStartRequest =
  temporal.api.workflowservice.v1.ISignalWithStartWorkflowExecutionRequest;
export type CompleteWorkflowTaskRequest = Omit<
  temporal.api.workflowservice.v1.IRespondWorkflowTaskCompletedRequest,
  'taskToken' | 'commands' | 'namespace'
>;
export type Link = temporal.api.common.v1.ILink;

/** What a workflow task token holds (WT-13). */
export interface WorkflowTaskToken {
  readonly scheduledEventId: number;
  readonly startedEventId: number;
  readonly startedTime: number;
  readonly attempt: number;
  readonly stamp: number;
}

/** What an activity task token holds (AC-5). Without it (by id) only activityId is known. */
export interface ActivityToken {
  readonly scheduledEventId: number;
  readonly attempt: number;
  readonly stamp: number;
}
export type ActivityRef =
  | { readonly by: 'token'; readonly token: ActivityToken }
  | { readonly by: 'id'; readonly activityId: string };

/** What an operator names (AC-15). */
export type ActivitySelector =
  | { readonly by: 'id'; readonly activityId: string }
  | { readonly by: 'type'; readonly activityType: string }
  | { readonly by: 'all' };

export interface SignalArgs {
  readonly signalName: string;
  readonly input?: Payloads | null;
  readonly identity: string;
  /** Empty = no dedupe. */
  readonly requestId: string;
  readonly header?: Header | null;
  readonly links?: readonly Link[];
  readonly externalWorkflowExecution?: { readonly workflowId: string; readonly runId: string };
  /** Only when this run is a child of `externalWorkflowExecution`. */
  readonly childWorkflowOnly?: boolean;
  /** SG-3: a signal-with-start to a run that is there does not wait for its first backoff to pass. */
  readonly withStart?: boolean;
}

export interface PauseArgs {
  readonly identity: string;
  readonly reason: string;
  /** A pause repeated with it is a success. */
  readonly requestId: string;
}

/** Where a run stands in its chain (section 10). Absent for the first run. */
interface ChainLink {
  readonly firstRunId: string;
  readonly originalRunId?: string;
  readonly continuedRunId: string;
  readonly initiator: ContinueAsNewInitiator;
  readonly attempt: number;
  readonly executionExpirationTime: number;
  readonly firstTaskBackoffMs: number;
  readonly continuedFailure?: Failure;
  readonly lastCompletionResult?: Payloads;
  /** MS-5: the points of the runs before. */
  readonly resetPoints?: readonly ResetPoint[];
}

/** Start of a run. The engine has already decided that it may start (ID-1 … ID-3, see start-policy.ts). */
export interface StartInput {
  readonly kind: 'start';
  readonly namespaceId: string;
  readonly namespace: string;
  readonly runId: string;
  readonly request: StartRequest;
  readonly chain?: ChainLink;
  readonly parent?: ParentInfo;
  readonly root?: { readonly workflowId: string; readonly runId: string };
  /** CH-2: a child tells its parent that it started, and its first workflow task waits until that is recorded. */
  readonly waitForParent?: { readonly parentClosePolicy: ParentClosePolicy };
  /** Signal-with-start (SG-3). */
  readonly signal?: SignalArgs;
  /** Update-with-start (UP-8). */
  readonly update?: UpdateRequest;
  /** The action of a schedule that starts it. */
  readonly scheduledBy?: ScheduledBy;
}

export type Input =
  | StartInput
  | ScheduleInput
  | BatchInput
  /** CH-2, second phase: the parent knows the child. */
  | { readonly kind: 'scheduleFirstWorkflowTask' }
  | {
      readonly kind: 'startWorkflowTask';
      readonly scheduledEventId: number;
      readonly stamp: number;
      readonly requestId: string;
      readonly identity: string;
      /** The queue the poll was on; tells a sticky poll from a normal one (WT-6, WT-7). */
      readonly taskQueue: string;
      readonly processId?: string;
    }
  | {
      readonly kind: 'completeWorkflowTask';
      readonly token: WorkflowTaskToken;
      readonly commands: readonly Command[];
      readonly request: CompleteWorkflowTaskRequest;
    }
  /** The worker forgot the run: its next task goes to the normal queue. */
  | { readonly kind: 'clearStickiness' }
  | {
      readonly kind: 'failWorkflowTask';
      readonly token: WorkflowTaskToken;
      readonly cause: number;
      readonly failure?: Failure | null;
      readonly identity: string;
    }
  | {
      readonly kind: 'startActivity';
      readonly scheduledEventId: number;
      readonly stamp: number;
      readonly requestId: string;
      readonly identity: string;
      readonly processId?: string;
    }
  | {
      readonly kind: 'completeActivity';
      readonly activity: ActivityRef;
      readonly result?: Payloads | null;
      readonly identity: string;
    }
  | {
      readonly kind: 'failActivity';
      readonly activity: ActivityRef;
      readonly failure?: Failure | null;
      readonly lastHeartbeatDetails?: Payloads | null;
      readonly identity: string;
    }
  | {
      readonly kind: 'cancelActivity';
      readonly activity: ActivityRef;
      readonly details?: Payloads | null;
      readonly identity: string;
    }
  | {
      readonly kind: 'heartbeatActivity';
      readonly activity: ActivityRef;
      readonly details?: Payloads | null;
      readonly identity: string;
    }
  | {
      readonly kind: 'pauseActivity';
      readonly activity: ActivitySelector;
      readonly identity: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'unpauseActivity';
      readonly activity: ActivitySelector;
      readonly resetAttempts: boolean;
      readonly resetHeartbeat: boolean;
      readonly jitterMs: number;
    }
  | {
      readonly kind: 'resetActivity';
      /** A repetition of it changes nothing; '' for what is not repeated. */
      readonly requestId: string;
      readonly activity: ActivitySelector;
      readonly keepPaused: boolean;
      readonly resetHeartbeat: boolean;
      readonly jitterMs: number;
      /** Set when the options go back to those it was scheduled with. */
      readonly originals?: OriginalOptions;
    }
  /** Fields of `options`, or back to the `originals`. */
  | {
      readonly kind: 'updateActivityOptions';
      readonly activity: ActivitySelector;
      readonly options?: WireActivityOptions;
      readonly fields: readonly ActivityOptionField[];
      readonly originals?: OriginalOptions;
    }
  | {
      readonly kind: 'updateRunOptions';
      readonly fields: readonly RunOptionField[];
      readonly priority: Priority | null;
      readonly identity: string;
    }
  | ({ readonly kind: 'pauseRun' } & PauseArgs)
  | ({ readonly kind: 'unpauseRun' } & PauseArgs)
  | ({ readonly kind: 'signal' } & SignalArgs)
  | { readonly kind: 'admitUpdate'; readonly request: UpdateRequest }
  | {
      readonly kind: 'requestCancel';
      readonly requestId: string;
      readonly identity: string;
      readonly reason: string;
      readonly externalInitiatedEventId?: number;
      readonly externalWorkflowExecution?: { readonly workflowId: string; readonly runId: string };
      /** Only when this run is a child of `externalWorkflowExecution`. */
      readonly childWorkflowOnly?: boolean;
      readonly links?: readonly Link[];
    }
  | {
      readonly kind: 'terminate';
      readonly reason: string;
      readonly details?: Payloads | null;
      readonly identity: string;
      readonly links?: readonly Link[];
    }
  /** Some deadline may be due: everything due at `now` happens, in the order of TM-2. */
  | {
      readonly kind: 'wake';
      /** The deadline the waker acted on: it is due even if the clock went back since (TM-2). */
      readonly dueAt?: number;
    }
  /** Decision 11: every attempt started by that process ends. */
  | {
      readonly kind: 'processLost';
      readonly processId: string;
      /** It was found dead, rather than stopped or in doubt: its steps may have been what killed it. */
      readonly died?: boolean;
      /** Only what it has started under these request ids; undefined: all. */
      readonly requestIds?: readonly string[];
    }
  | {
      readonly kind: 'childStarted';
      readonly initiatedEventId: number;
      readonly childRunId: string;
      readonly header?: Header | null;
    }
  | {
      readonly kind: 'childStartFailed';
      readonly initiatedEventId: number;
      readonly cause: 'WORKFLOW_ALREADY_EXISTS' | 'NAMESPACE_NOT_FOUND';
    }
  /** CH-3: `closeEvent` is the close event at the end of the child's chain, `childRunId` the run it closed. */
  | {
      readonly kind: 'childClosed';
      readonly initiatedEventId: number;
      readonly childRunId: string;
      /** First run of the child's chain: the one this parent started. Another's close is not this child's. */
      readonly childFirstRunId?: string;
      readonly closeEvent: HistoryEvent;
    }
  | {
      readonly kind: 'externalSignalResolved';
      readonly initiatedEventId: number;
      readonly failedCause?: number;
    }
  | {
      readonly kind: 'externalCancelResolved';
      readonly initiatedEventId: number;
      readonly failedCause?: number;
    };

export type InputKind = Input['kind'];
export type InputOf<K extends InputKind> = Extract<Input, { readonly kind: K }>;

/** What the sender of each input is told when it is not refused. */
export interface Replies extends ScheduleReplies, BatchReplies {
  start: { readonly runId: string };
  scheduleFirstWorkflowTask: undefined;
  startWorkflowTask: {
    readonly workflowTask: WorkflowTaskInfo;
    readonly previousStartedEventId: number;
    /** WT-3: the scheduled and started events of a transient task, to be appended to what the worker sees. */
    readonly transientEvents: readonly HistoryEvent[];
    readonly token: WorkflowTaskToken;
    /** WT-11: the updates that travel with it. */
    readonly messages: readonly UpdateMessage[];
  };
  completeWorkflowTask: {
    /** WT-23: the caller asked for the new task back and may have it: start it in this commit. */
    readonly returnNewTask?: DispatchTask;
    /** Activities whose command asked for eager start (AC-16) and that the engine may start in this commit. */
    readonly eagerActivities: readonly DispatchTask[];
    readonly resetHistoryEventId: number;
  };
  clearStickiness: undefined;
  failWorkflowTask: undefined;
  startActivity: { readonly activity: ActivityInfo };
  completeActivity: undefined;
  failActivity: undefined;
  cancelActivity: undefined;
  heartbeatActivity: {
    readonly cancelRequested: boolean;
    readonly paused: boolean;
    readonly reset: boolean;
  };
  pauseActivity: undefined;
  unpauseActivity: undefined;
  resetActivity: undefined;
  updateActivityOptions: { readonly options: WireActivityOptions };
  updateRunOptions: { readonly priority: Priority };
  pauseRun: undefined;
  unpauseRun: undefined;
  signal: undefined;
  admitUpdate: undefined;
  requestCancel: undefined;
  terminate: undefined;
  wake: undefined;
  processLost: undefined;
  childStarted: undefined;
  childStartFailed: undefined;
  childClosed: undefined;
  externalSignalResolved: undefined;
  externalCancelResolved: undefined;
}

/** Work for a queue. The engine hands it to the local runtime before the commit, or stores it as a row. */
export interface DispatchTask {
  readonly kind: 'workflow' | 'activity';
  readonly taskQueue: string;
  /** On a sticky queue: the normal queue it falls back to. Empty otherwise. */
  readonly normalTaskQueue: string;
  readonly scheduledEventId: number;
  readonly stamp: number;
  /** Workflow type or activity type. */
  readonly type: string;
}

/** A started attempt whose process should hear of it at once: its cancel was requested, or it no longer counts. */
export interface Interrupt {
  readonly processId: string;
  readonly scheduledEventId: number;
  readonly activityId: string;
  readonly attempt: number;
  readonly reason: 'cancelRequested' | 'gone';
}

/** A message to another run, kept with the commit and delivered at least once; receivers dedupe. */
export type OutboxMessage =
  | ScheduleMessage
  | BatchMessage
  /** The rest stands in the initiated event. */
  | { readonly kind: 'startChild'; readonly initiatedEventId: number }
  /**
   * CH-2, from the child to the parent in state.parent. It is of the child's first commit, so that a child whose
   * process dies right after it is told of the parent's end too; by then the parent's history may be gone.
   */
  | { readonly kind: 'notifyParentOfStart'; readonly parentClosePolicy: ParentClosePolicy }
  /** CH-2, second phase, to the child. */
  | {
      readonly kind: 'confirmChild';
      readonly namespaceId: string;
      readonly workflowId: string;
      readonly runId: string;
    }
  | { readonly kind: 'signalExternal'; readonly initiatedEventId: number }
  | { readonly kind: 'cancelExternal'; readonly initiatedEventId: number }
  /** CH-3, to the parent in state.parent; the close event is this run's last event. */
  | { readonly kind: 'notifyParent' }
  /** CH-4. */
  | {
      readonly kind: 'closeChild';
      readonly policy: 'terminate' | 'requestCancel';
      readonly namespaceId: string;
      readonly workflowId: string;
      readonly runId: string;
    };

export type Answer<R> =
  { readonly ok: true; readonly value: R } | { readonly ok: false; readonly refusal: Refusal };
