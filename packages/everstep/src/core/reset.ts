/**
 * Reset: a new run that lives a closed or open run's history up to a workflow task, lets that task fail, and goes
 * on from there (RS-1 … RS-3). The new run and the end of the current one are one commit.
 */
import proto from '@temporalio/proto';
import { dispatchTaskOf } from './activity-attempt.ts';
import { refuse } from './answer.ts';
import { terminateRun } from './close.ts';
import { Draft } from './draft.ts';
import type { CoreEnv } from './draft.ts';
import { InvariantViolation } from './invariant.ts';
import { EventType, RetryState, WorkflowTaskFailedCause } from './proto.ts';
import type { EventAttributes, HistoryEvent } from './proto.ts';
import { applyEvent, replay } from './rebuild.ts';
import type { Refusal } from './refusal.ts';
import { settle } from './settle.ts';
import { emptyRun } from './start.ts';
import { copyOfActivity, isOpen } from './state.ts';
import type { RunState } from './state.ts';
import { longOf, numberOf } from './time.ts';
import type { WireLong } from './time.ts';
import type { Transition } from './transition-result.ts';
import { isKnownUpdate } from './update.ts';
import { endFailedTask } from './workflow-task-failure.ts';
import { scheduleWorkflowTask, startWorkflowTask } from './workflow-task.ts';

const { ResetReapplyExcludeType, ResetReapplyType, UpdateAdmittedEventOrigin } =
  proto.temporal.api.enums.v1;

export interface ResetArgs {
  readonly baseRunId: string;
  /** The run to go back in; absent, it is the current one. */
  readonly base?: RunState;
  /** The first event that is not taken over: a completed, failed, timed out or started workflow task. */
  readonly workflowTaskFinishEventId: number;
  readonly newRunId: string;
  readonly reason: string;
  readonly requestId: string;
  readonly identity: string;
  readonly excludeTypes?: readonly proto.temporal.api.enums.v1.ResetReapplyExcludeType[];
  readonly reapplyType?: proto.temporal.api.enums.v1.ResetReapplyType;
  /** Events of the runs that continued the base run, oldest first: what they were sent is applied again too. */
  readonly chainEvents?: readonly HistoryEvent[];
  /** The current run continued the base run, so what its end still writes is applied again too. */
  readonly currentIsInChain?: boolean;
}

export type ResetAnswer =
  | {
      readonly ok: true;
      /** The current run, terminated if it was open. */
      readonly current: Transition<undefined> | undefined;
      /** The base run where it is another, told which run came of it. */
      readonly base: Transition<undefined> | undefined;
      readonly next: Transition<{ readonly runId: string }>;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** `current` is the workflow id's current run, `baseEvents` the whole history of the run to go back in. */
export function resetRun(
  current: RunState,
  baseEvents: readonly HistoryEvent[],
  args: ResetArgs,
  env: CoreEnv,
): ResetAnswer {
  const finishId = args.workflowTaskFinishEventId;
  const lastId = numberOf(baseEvents.at(-1)?.eventId);
  if (finishId <= 1 || finishId > lastId) {
    return refuse(
      'INVALID_ARGUMENT',
      'Workflow task finish ID must be > 1 && <= workflow last event ID.',
    );
  }
  const prefix = baseEvents.filter((event) => numberOf(event.eventId) < finishId);
  const draft = new Draft(
    emptyRun({
      namespaceId: current.namespaceId,
      namespace: current.namespace,
      runId: args.newRunId,
      createRequestId: args.requestId,
    }),
    env,
  );
  replay(draft, prefix);
  draft.events.push(...prefix);
  // RS-1: the point lies within a workflow task, that is, one is pending there.
  if (!draft.state.workflowTask) {
    return refuse(
      'INVALID_ARGUMENT',
      `Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: ${finishId}`,
    );
  }
  restartClocks(draft);
  if (current.scheduledBy) draft.state.scheduledBy = current.scheduledBy;
  failPendingTask(draft, args);
  restartActivities(draft, prefix, args);
  sendAgain(draft);
  const later = baseEvents.filter((event) => numberOf(event.eventId) >= finishId);
  const ended = endCurrent(current, args, env);
  const last = ended?.events ?? [];
  reapply(draft, args.base ? later : [...later, ...last], args, reapplyChildResult);
  // The children of the runs after it are not those of the same numbers here.
  const after = [...(args.chainEvents ?? []), ...(args.currentIsInChain ? last : [])];
  reapply(draft, after, args);
  scheduleWorkflowTask(draft);
  return {
    ok: true,
    current: ended,
    base: args.base && tellBase(args.base, args, env),
    next: settle(draft, { ok: true, value: { runId: args.newRunId } }),
  };
}

/** Who resets, as the events tell it: the server, whoever asked. */
const serverIdentity = 'history-service';
const resetterIdentity = 'history-resetter';

/** A reset run has its whole time again. */
function restartClocks(draft: Draft): void {
  const { state, now } = draft;
  state.startTime = now;
  state.executionTime = now;
  state.firstTaskBackoffMs = 0;
  if (state.executionTimeoutMs > 0) state.executionExpirationTime = now + state.executionTimeoutMs;
  const runExpiration = state.runTimeoutMs > 0 ? now + state.runTimeoutMs : Infinity;
  const expiration = Math.min(runExpiration, state.executionExpirationTime || Infinity);
  state.runExpirationTime = expiration === Infinity ? 0 : expiration;
}

/** The task at the point fails; one that was only scheduled there is started first. */
function failPendingTask(draft: Draft, args: ResetArgs): void {
  let task = draft.state.workflowTask;
  // A later attempt was written when it was completed; here it is a task like any other, and its end is, too.
  if (task && task.attempt > 1) task = draft.state.workflowTask = { ...task, attempt: 1 };
  if (task && task.startedEventId === 0) {
    startWorkflowTask(draft, {
      kind: 'startWorkflowTask',
      scheduledEventId: task.scheduledEventId,
      stamp: task.stamp,
      requestId: args.requestId,
      identity: serverIdentity,
      taskQueue: task.taskQueue,
    });
    task = draft.state.workflowTask;
  }
  if (!task)
    throw new InvariantViolation('a reset lost its workflow task', { runId: args.newRunId });
  endFailedTask(draft, task, {
    cause: WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    failure: { message: args.reason, resetWorkflowFailureInfo: {} },
    identity: serverIdentity,
    reset: { baseRunId: args.baseRunId, newRunId: args.newRunId },
  });
}

/**
 * Activities that are open at the point run again, as if scheduled now. One whose late start is before the point and
 * whose close is not (AC-2) has had its attempt: it fails.
 */
function restartActivities(draft: Draft, prefix: readonly HistoryEvent[], args: ResetArgs): void {
  const startedEvents = new Map<number, HistoryEvent>();
  for (const event of prefix) {
    const started = event.activityTaskStartedEventAttributes;
    if (started) startedEvents.set(numberOf(started.scheduledEventId), event);
  }
  for (const activity of draft.state.activities.values()) {
    const started = startedEvents.get(activity.scheduledEventId);
    if (started) {
      addAgain(draft, {
        eventType: EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED,
        activityTaskFailedEventAttributes: {
          failure: { message: args.reason, resetWorkflowFailureInfo: {} },
          scheduledEventId: longOf(activity.scheduledEventId),
          startedEventId: started.eventId ?? null,
          identity: activity.startedIdentity,
          retryState: RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
        },
      });
      continue;
    }
    const again = copyOfActivity(activity);
    again.firstScheduledTime = draft.now;
    again.scheduledTime = draft.now;
    draft.own('activities').set(activity.scheduledEventId, again);
    draft.tasks.push(dispatchTaskOf(again));
  }
}

/** What the prefix asked of other runs and had no answer to. */
function sendAgain(draft: Draft): void {
  const { children, externalSignals, externalCancels } = draft.state;
  for (const child of children.values()) {
    if (child.runId === '') {
      draft.outbox.push({ kind: 'startChild', initiatedEventId: child.initiatedEventId });
    }
  }
  for (const initiatedEventId of externalSignals.keys()) {
    draft.outbox.push({ kind: 'signalExternal', initiatedEventId });
  }
  for (const initiatedEventId of externalCancels.keys()) {
    draft.outbox.push({ kind: 'cancelExternal', initiatedEventId });
  }
}

/** RS-2: what the outside sent after the point, less the kinds the caller left out. */
function reapply(
  draft: Draft,
  events: readonly HistoryEvent[],
  args: ResetArgs,
  other?: (draft: Draft, event: HistoryEvent) => void,
): void {
  if (args.reapplyType === ResetReapplyType.RESET_REAPPLY_TYPE_NONE) return;
  const excluded = new Set(args.excludeTypes ?? []);
  for (const event of events) {
    switch (event.eventType) {
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: {
        if (excluded.has(ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)) break;
        const requestId = event.workflowExecutionSignaledEventAttributes?.requestId ?? '';
        if (requestId === '' || !draft.state.signalRequestIds.has(requestId))
          addAgain(draft, event);
        break;
      }
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
      case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        if (excluded.has(ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE)) break;
        reapplyUpdate(draft, event);
        break;
      default:
        other?.(draft, event);
    }
  }
}

/** The request is admitted anew; the code answers it as if it had just come. */
function reapplyUpdate(draft: Draft, event: HistoryEvent): void {
  const request =
    event.workflowExecutionUpdateAdmittedEventAttributes?.request ??
    event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
  if (!request || isKnownUpdate(draft.state, request.meta?.updateId ?? '')) return;
  addAgain(draft, {
    eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED,
    workflowExecutionUpdateAdmittedEventAttributes: {
      request,
      origin: UpdateAdmittedEventOrigin.UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY,
    },
  });
}

const childResults = [
  'startChildWorkflowExecutionFailedEventAttributes',
  'childWorkflowExecutionStartedEventAttributes',
  'childWorkflowExecutionCompletedEventAttributes',
  'childWorkflowExecutionFailedEventAttributes',
  'childWorkflowExecutionCanceledEventAttributes',
  'childWorkflowExecutionTimedOutEventAttributes',
  'childWorkflowExecutionTerminatedEventAttributes',
] as const;

/** The children the prefix started are the new run's; what they answered later is its own too. */
function reapplyChildResult(draft: Draft, event: HistoryEvent): void {
  for (const field of childResults) {
    const attributes:
      { initiatedEventId?: WireLong; startedEventId?: WireLong } | null | undefined = event[field];
    if (!attributes) continue;
    const child = draft.state.children.get(numberOf(attributes.initiatedEventId));
    if (!child) return;
    const rewired =
      'startedEventId' in attributes && child.startedEventId > 0
        ? { ...event, [field]: { ...attributes, startedEventId: longOf(child.startedEventId) } }
        : event;
    addAgain(draft, rewired);
    return;
  }
}

function addAgain(draft: Draft, event: HistoryEvent): void {
  const { eventId: _id, eventTime: _time, eventType, links, userMetadata, ...attributes } = event;
  if (!eventType) return;
  const added = draft.add(eventType, attributes as EventAttributes, { links, userMetadata });
  applyEvent(draft, added);
}

/**
 * The current run ends. When it is the one that was gone back in, its children stay, for the new run takes them over;
 * when it is of that one's chain, the new run answers for it. Else it ends like any other that is terminated.
 */
function endCurrent(
  current: RunState,
  args: ResetArgs,
  env: CoreEnv,
): Transition<undefined> | undefined {
  const isBase = args.base === undefined;
  if (!isOpen(current) && !isBase) return undefined;
  const draft = new Draft(current, env);
  if (isOpen(current)) {
    terminateRun(draft, {
      reason: args.reason,
      identity: resetterIdentity,
      successor: { children: isBase, place: isBase || args.currentIsInChain === true },
    });
  }
  if (isBase) draft.state.resetRunId = args.newRunId;
  draft.touch();
  return settle(draft, { ok: true, value: undefined });
}

function tellBase(base: RunState, args: ResetArgs, env: CoreEnv): Transition<undefined> {
  const draft = new Draft(base, env);
  draft.state.resetRunId = args.newRunId;
  draft.touch();
  return settle(draft, { ok: true, value: undefined });
}
