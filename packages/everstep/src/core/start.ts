/**
 * The start of a run (section 2, MS-1, MS-2): its first event, and its first workflow task unless that must wait
 * for a delay, a cron tick, a retry's backoff or the parent's word (CH-2).
 */
import proto from '@temporalio/proto';
import { accept, accepted, alreadyCompleted } from './answer.ts';
import { cronBackoffMs } from './cron.ts';
import { Draft } from './draft.ts';
import type { CoreEnv } from './draft.ts';
import type { EventTable } from './event-table.ts';
import type { Answer, StartInput } from './input.ts';
import { ContinueAsNewInitiator, EventType } from './proto.ts';
import type { HistoryEvent } from './proto.ts';
import { retryPolicyFromWire, retryPolicyToWire } from './retry.ts';
import { settle } from './settle.ts';
import { addSignal } from './signal.ts';
import { copyOf, isOpen } from './state.ts';
import type { ResetPoint, RunState, StartedAttributes } from './state.ts';
import { durationOf, longOf, msOfDuration, msOfTimestamp, numberOf, timestampOf } from './time.ts';
import type { Transition } from './transition-result.ts';
import { addUpdate } from './update.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

const { TaskQueueKind } = proto.temporal.api.enums.v1;

/** What a run is before its first event, and what no event of it tells. */
export interface RunSeed {
  readonly namespaceId: string;
  readonly namespace: string;
  readonly runId: string;
  readonly createRequestId: string;
}

/** Shared: maps of a state are never written in place (draft.ts). */
const noEntries: ReadonlyMap<never, never> = new Map<never, never>();

/** Every field, so that all states have one shape and a copy of one is cheap. */
const blankRun: RunState = {
  namespaceId: '',
  namespace: '',
  runId: '',
  createRequestId: '',
  workflowId: '',
  firstRunId: '',
  originalRunId: '',
  resetRunId: undefined,
  newRunId: undefined,
  parent: undefined,
  root: { workflowId: '', runId: '' },
  requestIds: noEntries,
  workflowType: '',
  taskQueue: '',
  attempt: 1,
  cronSchedule: '',
  retryPolicy: undefined,
  priority: undefined,
  status: 'created',
  startTime: 0,
  executionTime: 0,
  runExpirationTime: 0,
  executionExpirationTime: 0,
  runTimeoutMs: 0,
  executionTimeoutMs: 0,
  workflowTaskTimeoutMs: 0,
  firstTaskBackoffMs: 0,
  closeTime: 0,
  workflowTask: undefined,
  sticky: undefined,
  lastCompletedStartedEventId: 0,
  closeAttempted: false,
  workflowTaskAttempt: 1,
  workflowTaskProblems: 0,
  workflowTaskStamp: 0,
  activities: noEntries,
  timers: noEntries,
  children: noEntries,
  externalCancels: noEntries,
  externalSignals: noEntries,
  signalRequestIds: new Set(),
  updates: new Map(),
  completedUpdates: new Map(),
  buffered: [],
  nextEventId: 1,
  historyBytes: 0,
  signalCount: 0,
  memo: undefined,
  searchAttributes: undefined,
  resetPoints: [],
  cancelRequested: false,
  cancelRequestId: '',
  waitsForParent: undefined,
  startAttributes: undefined,
  lastCompletionResult: undefined,
  pause: undefined,
  scheduledBy: undefined,
  schedule: undefined,
  batch: undefined,
};

export function emptyRun(seed: RunSeed): RunState {
  const run = copyOf(blankRun);
  run.namespaceId = seed.namespaceId;
  run.namespace = seed.namespace;
  run.runId = seed.runId;
  run.createRequestId = seed.createRequestId;
  run.firstRunId = seed.runId;
  run.originalRunId = seed.runId;
  run.root = { workflowId: '', runId: seed.runId };
  return run;
}

export function startRun(input: StartInput, env: CoreEnv): Transition<{ readonly runId: string }> {
  const draft = new Draft(
    emptyRun({
      namespaceId: input.namespaceId,
      namespace: input.namespace,
      runId: input.runId,
      createRequestId: input.request.requestId ?? '',
    }),
    env,
  );
  const { request } = input;
  const event = draft.add(
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
    { workflowExecutionStartedEventAttributes: startedAttributes(input, env) },
    { userMetadata: request.userMetadata, links: request.links },
  );
  applyStarted(draft, event);
  if (input.waitForParent) {
    draft.state.waitsForParent = true;
    draft.outbox.push({ kind: 'notifyParentOfStart', ...input.waitForParent });
  }
  if (input.scheduledBy) {
    draft.state.scheduledBy = input.scheduledBy;
    if (!input.chain) draft.outbox.push({ kind: 'notifyScheduleOfStart' });
  }
  if (input.signal) addSignal(draft, input.signal);
  if (input.update) addUpdate(draft, input.update);
  scheduleWorkflowTask(draft);
  return settle(draft, accept({ runId: input.runId }));
}

/** CH-2, second phase; arriving twice it does nothing. A backoff still has to pass, and the wake-up sees to it. */
export function scheduleFirstWorkflowTask(draft: Draft): Answer<undefined> {
  if (!isOpen(draft.state)) return alreadyCompleted();
  if (!draft.state.waitsForParent) return accepted;
  draft.state.waitsForParent = undefined;
  draft.touch();
  scheduleWorkflowTask(draft);
  return accepted;
}

/** WT-2, MS-2: a missing run timeout is the execution's, none outlives the execution, and so on down. */
function timeouts(input: StartInput, env: CoreEnv) {
  const { request } = input;
  const executionMs = msOfDuration(request.workflowExecutionTimeout);
  const runMs = shorter(msOfDuration(request.workflowRunTimeout), executionMs);
  const { workflowTaskTimeoutMs, workflowTaskTimeoutMaxMs } = env.limits;
  const taskMs = msOfDuration(request.workflowTaskTimeout) || workflowTaskTimeoutMs;
  return { executionMs, runMs, taskMs: shorter(Math.min(taskMs, workflowTaskTimeoutMaxMs), runMs) };
}

/** 0 is no limit. */
function shorter(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b);
}

function startedAttributes(input: StartInput, env: CoreEnv): StartedAttributes {
  const { request, chain, parent, root, runId } = input;
  const { executionMs, runMs, taskMs } = timeouts(input, env);
  const backoffMs =
    chain?.firstTaskBackoffMs ??
    (request.cronSchedule
      ? (cronBackoffMs(request.cronSchedule, env.now, env.now) ?? 0)
      : msOfDuration(request.workflowStartDelay));
  const expiration =
    chain?.executionExpirationTime ?? (executionMs > 0 ? env.now + executionMs : 0);
  const cron = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE;
  const initiator = chain?.initiator ?? (request.cronSchedule ? cron : undefined);
  const continuedFailure = chain?.continuedFailure ?? request.continuedFailure;
  const lastCompletionResult = chain?.lastCompletionResult ?? request.lastCompletionResult;
  return {
    workflowId: request.workflowId ?? '',
    workflowType: { name: request.workflowType?.name ?? '' },
    taskQueue: { name: request.taskQueue?.name ?? '', kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    ...(request.input && { input: request.input }),
    ...(request.header && { header: request.header }),
    // Absent, not zero: SDKs tell their users of a timeout that is set.
    ...(executionMs > 0 && { workflowExecutionTimeout: durationOf(executionMs) }),
    ...(runMs > 0 && { workflowRunTimeout: durationOf(runMs) }),
    workflowTaskTimeout: durationOf(taskMs),
    identity: request.identity ?? '',
    originalExecutionRunId: chain?.originalRunId ?? runId,
    firstExecutionRunId: chain?.firstRunId ?? runId,
    ...(request.requestEagerExecution && { eagerExecutionAccepted: true }),
    attempt: chain?.attempt ?? 1,
    firstWorkflowTaskBackoff: durationOf(backoffMs),
    ...(expiration > 0 && { workflowExecutionExpirationTime: timestampOf(expiration) }),
    ...(chain && { continuedExecutionRunId: chain.continuedRunId }),
    ...(initiator !== undefined && { initiator }),
    ...(continuedFailure && { continuedFailure }),
    ...(lastCompletionResult && { lastCompletionResult }),
    ...(request.retryPolicy && {
      retryPolicy: retryPolicyToWire(retryPolicyFromWire(request.retryPolicy)),
    }),
    ...(request.cronSchedule && { cronSchedule: request.cronSchedule }),
    ...(request.memo && { memo: request.memo }),
    ...(request.searchAttributes && { searchAttributes: request.searchAttributes }),
    ...(request.priority && { priority: request.priority }),
    ...(request.completionCallbacks?.length && {
      completionCallbacks: request.completionCallbacks,
    }),
    ...(chain?.resetPoints?.length && {
      prevAutoResetPoints: { points: chain.resetPoints.map(resetPointToWire) },
    }),
    ...(parent && {
      parentWorkflowNamespace: parent.namespace,
      parentWorkflowNamespaceId: parent.namespaceId,
      parentWorkflowExecution: { workflowId: parent.workflowId, runId: parent.runId },
      parentInitiatedEventId: longOf(parent.initiatedEventId),
    }),
    ...(root && { rootWorkflowExecution: { workflowId: root.workflowId, runId: root.runId } }),
  };
}

function resetPointToWire(point: ResetPoint): proto.temporal.api.workflow.v1.IResetPointInfo {
  return {
    buildId: point.buildId,
    binaryChecksum: point.binaryChecksum,
    runId: point.runId,
    firstWorkflowTaskCompletedId: longOf(point.firstWorkflowTaskCompletedId),
    createTime: timestampOf(point.createTime),
    resettable: point.resettable,
  };
}

function applyStarted(draft: Draft, event: HistoryEvent): void {
  const { state } = draft;
  const a = event.workflowExecutionStartedEventAttributes ?? {};
  state.workflowId = a.workflowId ?? '';
  state.firstRunId = a.firstExecutionRunId ?? state.runId;
  state.originalRunId = a.originalExecutionRunId ?? state.runId;
  state.workflowType = a.workflowType?.name ?? '';
  state.taskQueue = a.taskQueue?.name ?? '';
  state.attempt = a.attempt ?? 1;
  state.cronSchedule = a.cronSchedule ?? '';
  if (a.retryPolicy) state.retryPolicy = retryPolicyFromWire(a.retryPolicy);
  if (a.priority) state.priority = a.priority;
  if (a.memo) state.memo = a.memo;
  if (a.searchAttributes) state.searchAttributes = a.searchAttributes;
  if (a.lastCompletionResult) state.lastCompletionResult = a.lastCompletionResult;
  if (a.retryPolicy || a.cronSchedule) state.startAttributes = a;
  if (a.parentWorkflowExecution) {
    state.parent = {
      namespaceId: a.parentWorkflowNamespaceId ?? '',
      namespace: a.parentWorkflowNamespace ?? '',
      workflowId: a.parentWorkflowExecution.workflowId ?? '',
      runId: a.parentWorkflowExecution.runId ?? '',
      initiatedEventId: numberOf(a.parentInitiatedEventId),
    };
  }
  const root = a.rootWorkflowExecution;
  state.root = {
    workflowId: root?.workflowId || state.workflowId,
    runId: root?.runId || state.runId,
  };
  if (state.createRequestId !== '') {
    draft.own('requestIds').set(state.createRequestId, {
      eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
      eventId: 1,
    });
  }
  state.resetPoints = (a.prevAutoResetPoints?.points ?? []).map((point) => ({
    buildId: point.buildId ?? '',
    binaryChecksum: point.binaryChecksum ?? '',
    runId: point.runId ?? '',
    firstWorkflowTaskCompletedId: numberOf(point.firstWorkflowTaskCompletedId),
    createTime: msOfTimestamp(point.createTime),
    resettable: point.resettable ?? false,
  }));

  state.status = 'created';
  state.startTime = msOfTimestamp(event.eventTime);
  state.executionTimeoutMs = msOfDuration(a.workflowExecutionTimeout);
  state.runTimeoutMs = msOfDuration(a.workflowRunTimeout);
  state.workflowTaskTimeoutMs = msOfDuration(a.workflowTaskTimeout);
  state.firstTaskBackoffMs = msOfDuration(a.firstWorkflowTaskBackoff);
  state.executionTime = state.startTime + state.firstTaskBackoffMs;
  state.executionExpirationTime = msOfTimestamp(a.workflowExecutionExpirationTime);
  const runExpiration = state.runTimeoutMs > 0 ? state.executionTime + state.runTimeoutMs : 0;
  state.runExpirationTime = shorter(runExpiration, state.executionExpirationTime);
}

export const startEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED]: applyStarted,
};
