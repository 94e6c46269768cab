/**
 * A run's state as bytes. It runs at every commit, so it is one `JSON.stringify` over what differs from an empty
 * run and does not stand in the run's row anyway; fields of the wire's types are their wire bytes, encoded once as
 * long as the object stays the same.
 *
 * The first byte is the format. A new format gets the next number; a number is never used again.
 */
import proto from '@temporalio/proto';
import { decodeBatch, encodeBatch } from './history-batch.ts';
import { InvariantViolation } from './invariant.ts';
import { EventType, ParentClosePolicy } from './proto.ts';
import { decodeBatchState, encodeBatchState } from './batch/batch-codec.ts';
import { decodeSchedule, encodeSchedule } from './schedule/schedule-codec.ts';
import { emptyRun } from './start.ts';
import { copyOfActivity, copyOfWorkflowTask } from './state.ts';
import type {
  ActivityInfo,
  ChildInfo,
  ExternalInfo,
  RequestIdInfo,
  RetryPolicy,
  RunState,
  TimerInfo,
  UpdateInfo,
  RunPause,
} from './state.ts';
import { base64, bytesOf, wireField } from './wire-field.ts';
import type { WireType } from './wire-field.ts';

const format = 1;

const { common, failure, history, update } = proto.temporal.api;

const payloads = wireField(common.v1.Payloads as WireType<proto.temporal.api.common.v1.IPayloads>);
const priority = wireField(common.v1.Priority as WireType<proto.temporal.api.common.v1.IPriority>);
const updateRequest = wireField(
  update.v1.Request as WireType<proto.temporal.api.update.v1.IRequest>,
);
const failures = wireField(failure.v1.Failure as WireType<proto.temporal.api.failure.v1.IFailure>);

const memo = wireField(common.v1.Memo as WireType<proto.temporal.api.common.v1.IMemo>);
const searchAttributes = wireField(
  common.v1.SearchAttributes as WireType<proto.temporal.api.common.v1.ISearchAttributes>,
);
const startAttributes = wireField(
  history.v1
    .WorkflowExecutionStartedEventAttributes as WireType<proto.temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes>,
);

type Stored = Record<string, unknown>;

/** What the store keeps of a run beside its state: not written twice. */
export type StateRow = Pick<
  RunState,
  'namespaceId' | 'workflowId' | 'runId' | 'workflowType' | 'taskQueue' | 'startTime'
> & {
  /** 'paused' is for lists: the state says which status the run has besides. */
  readonly status: RunState['status'] | 'paused';
};

const defaultWorkflowTaskTimeoutMs = 10_000;

const utf8 = new TextDecoder();

/**
 * What differs from an empty run. Written out field by field: one object of one shape, whose undefined fields
 * `JSON.stringify` leaves out, costs a third of a loop over the fields.
 */
function storedOf(s: RunState): {
  readonly [Field in Exclude<keyof RunState, keyof StateRow>]-?: unknown;
} {
  return {
    namespace: s.namespace,
    firstRunId: s.firstRunId === s.runId ? undefined : s.firstRunId,
    originalRunId: s.originalRunId === s.runId ? undefined : s.originalRunId,
    resetRunId: s.resetRunId,
    newRunId: s.newRunId,
    parent: s.parent,
    root: s.root.runId === s.runId && s.root.workflowId === s.workflowId ? undefined : s.root,
    createRequestId: s.createRequestId,
    requestIds: isStartOnly(s) ? undefined : mapFields.requestIds.encode(s.requestIds),
    attempt: s.attempt === 1 ? undefined : s.attempt,
    cronSchedule: s.cronSchedule || undefined,
    retryPolicy: s.retryPolicy && encodePolicy(s.retryPolicy),
    priority: s.priority && priority.encode(s.priority),
    executionTime: s.executionTime === s.startTime ? undefined : s.executionTime,
    runExpirationTime: s.runExpirationTime || undefined,
    executionExpirationTime: s.executionExpirationTime || undefined,
    runTimeoutMs: s.runTimeoutMs || undefined,
    executionTimeoutMs: s.executionTimeoutMs || undefined,
    workflowTaskTimeoutMs:
      s.workflowTaskTimeoutMs === defaultWorkflowTaskTimeoutMs
        ? undefined
        : s.workflowTaskTimeoutMs,
    firstTaskBackoffMs: s.firstTaskBackoffMs || undefined,
    closeTime: s.closeTime || undefined,
    workflowTask: s.workflowTask,
    sticky: s.sticky,
    lastCompletedStartedEventId: s.lastCompletedStartedEventId || undefined,
    closeAttempted: s.closeAttempted || undefined,
    workflowTaskAttempt: s.workflowTaskAttempt === 1 ? undefined : s.workflowTaskAttempt,
    workflowTaskProblems: s.workflowTaskProblems || undefined,
    workflowTaskStamp: s.workflowTaskStamp || undefined,
    activities: activitiesOf(s),
    timers: entriesOf('timers', s.timers),
    children: entriesOf('children', s.children),
    externalCancels: entriesOf('externalCancels', s.externalCancels),
    externalSignals: entriesOf('externalSignals', s.externalSignals),
    signalRequestIds: s.signalRequestIds.size === 0 ? undefined : [...s.signalRequestIds],
    updates: entriesOf('updates', s.updates),
    completedUpdates: s.completedUpdates.size === 0 ? undefined : [...s.completedUpdates],
    buffered: s.buffered.length === 0 ? undefined : base64(encodeBatch(s.buffered)),
    nextEventId: s.nextEventId,
    historyBytes: s.historyBytes,
    signalCount: s.signalCount || undefined,
    memo: s.memo && memo.encode(s.memo),
    searchAttributes: s.searchAttributes && searchAttributes.encode(s.searchAttributes),
    resetPoints: s.resetPoints.length === 0 ? undefined : s.resetPoints,
    cancelRequested: s.cancelRequested || undefined,
    cancelRequestId: s.cancelRequestId || undefined,
    waitsForParent: s.waitsForParent,
    startAttributes: s.startAttributes && startAttributes.encode(s.startAttributes),
    lastCompletionResult: s.lastCompletionResult && payloads.encode(s.lastCompletionResult),
    pause: s.pause,
    scheduledBy: s.scheduledBy,
    schedule: s.schedule && encodeSchedule(s.schedule),
    batch: s.batch && encodeBatchState(s.batch),
  };
}

function entriesOf(
  field: keyof typeof mapFields,
  map: ReadonlyMap<unknown, unknown>,
): unknown[] | undefined {
  return map.size === 0 ? undefined : mapFields[field].encode(map);
}

/** The usual case: the request that started the run is the only one it knows. */
function isStartOnly(s: RunState): boolean {
  if (s.requestIds.size !== 1) return false;
  const info = s.requestIds.get(s.createRequestId);
  return info?.eventId === 1 && info.eventType === EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;
}

function activitiesOf(s: RunState): unknown[] | undefined {
  if (s.activities.size === 0) return undefined;
  const stored: unknown[] = [];
  for (const activity of s.activities.values()) stored.push(encodeActivity(activity, s.taskQueue));
  return stored;
}

/** A policy stands in every activity: its values in order. */
function encodePolicy(policy: RetryPolicy): unknown[] {
  const { initialIntervalMs, maximumIntervalMs, backoffCoefficient, maximumAttempts } = policy;
  const types = policy.nonRetryableErrorTypes;
  const values = [initialIntervalMs, maximumIntervalMs, backoffCoefficient, maximumAttempts];
  return types.length === 0 ? values : [...values, types];
}

function decodePolicy(stored: unknown[]): RetryPolicy {
  const [initialIntervalMs, maximumIntervalMs, backoffCoefficient, maximumAttempts, types] =
    stored as [number, number, number, number, string[] | undefined];
  return {
    initialIntervalMs,
    maximumIntervalMs,
    backoffCoefficient,
    maximumAttempts,
    nonRetryableErrorTypes: types ?? [],
  };
}

export function encodeState(state: RunState): Uint8Array {
  const json = JSON.stringify(storedOf(state));
  const size = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(size + 1);
  bytes[0] = format;
  bytes.write(json, 1, size);
  return bytes;
}

export function decodeState(bytes: Uint8Array, row: StateRow): RunState {
  if (bytes[0] !== format) {
    throw new InvariantViolation('this state was written in a format of another version', {
      format: bytes[0] ?? -1,
    });
  }
  const stored = JSON.parse(utf8.decode(bytes.subarray(1))) as Stored;
  const { namespaceId, workflowId, runId, workflowType, taskQueue, status, startTime } = row;
  const createRequestId = stored['createRequestId'] as string;
  const state: Stored = {
    ...emptyRun({ namespaceId, namespace: '', runId, createRequestId }),
    workflowId,
    workflowType,
    taskQueue,
    status: status === 'paused' ? (stored['pause'] as RunPause).status : status,
    startTime,
    executionTime: startTime,
    root: { workflowId, runId },
    requestIds: new Map([[createRequestId, startedByRequest]]),
    workflowTaskTimeoutMs: defaultWorkflowTaskTimeoutMs,
  };
  for (const field in stored) {
    const value = stored[field];
    const decode = decoders[field];
    state[field] = decode ? decode(value as never, row) : value;
  }
  return state as unknown as RunState;
}

const startedByRequest: RequestIdInfo = {
  eventType: EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  eventId: 1,
};

interface MapField {
  readonly encode: (map: ReadonlyMap<unknown, unknown>) => unknown[];
  readonly decode: (values: unknown[]) => Map<unknown, unknown>;
}

/** A map whose values hold their own key is stored as the list of its values. */
function keyed<V>(
  keyOf: (value: V) => unknown,
  encode: (value: V) => unknown = (value) => value,
  decode: (stored: never) => V = (stored) => stored,
): MapField {
  return {
    encode(map) {
      const values: unknown[] = [];
      for (const value of map.values()) values.push(encode(value as V));
      return values;
    },
    decode(values) {
      const map = new Map<unknown, unknown>();
      for (const stored of values) {
        const value = decode(stored as never);
        map.set(keyOf(value), value);
      }
      return map;
    },
  };
}

type StoredActivity = { readonly [Field in keyof ActivityInfo]?: unknown };

/** What an activity has that was never started, never failed and is not waited for. */
const blankActivity = {
  attempt: 1,
  stamp: 0,
  dispatched: true,
  startedTime: 0,
  startRequestId: '',
  startedIdentity: '',
  scheduleToCloseMs: 0,
  scheduleToStartMs: 0,
  startToCloseMs: 0,
  heartbeatMs: 0,
  cancelRequestedEventId: 0,
  lastHeartbeatTime: 0,
  lastWorkerIdentity: '',
  lastAttemptCompleteTime: 0,
  paused: false,
  pauseInfo: undefined,
} satisfies Partial<ActivityInfo>;

function encodeActivity(a: ActivityInfo, taskQueue: string): StoredActivity {
  return {
    scheduledEventId: a.scheduledEventId,
    activityId: a.activityId,
    activityType: a.activityType,
    taskQueue: a.taskQueue === taskQueue ? undefined : a.taskQueue,
    attempt: a.attempt === 1 ? undefined : a.attempt,
    stamp: a.stamp || undefined,
    firstScheduledTime: a.firstScheduledTime,
    scheduledTime: a.scheduledTime === a.firstScheduledTime ? undefined : a.scheduledTime,
    dispatched: a.dispatched ? undefined : false,
    startedTime: a.startedTime || undefined,
    startRequestId: a.startRequestId || undefined,
    startedIdentity: a.startedIdentity || undefined,
    processId: a.processId,
    scheduleToCloseMs: a.scheduleToCloseMs || undefined,
    scheduleToStartMs: a.scheduleToStartMs || undefined,
    startToCloseMs: a.startToCloseMs || undefined,
    heartbeatMs: a.heartbeatMs || undefined,
    retryPolicy: encodePolicy(a.retryPolicy),
    cancelRequestedEventId: a.cancelRequestedEventId || undefined,
    lastHeartbeatTime: a.lastHeartbeatTime || undefined,
    heartbeatDetails: a.heartbeatDetails && payloads.encode(a.heartbeatDetails),
    lastFailure: a.lastFailure && failures.encode(a.lastFailure),
    lastWorkerIdentity: a.lastWorkerIdentity || undefined,
    lastAttemptCompleteTime: a.lastAttemptCompleteTime || undefined,
    priority: a.priority && priority.encode(a.priority),
    paused: a.paused || undefined,
    pauseInfo: a.pauseInfo,
    reset: a.reset || undefined,
    processDeaths: a.processDeaths || undefined,
  } satisfies { readonly [Field in keyof ActivityInfo]-?: unknown };
}

function decodeActivity(stored: StoredActivity, taskQueue: string): ActivityInfo {
  const { heartbeatDetails, lastFailure, priority: own, retryPolicy } = stored;
  return copyOfActivity({
    ...blankActivity,
    scheduledTime: stored.firstScheduledTime,
    taskQueue,
    ...stored,
    retryPolicy: decodePolicy(retryPolicy as unknown[]),
    heartbeatDetails:
      heartbeatDetails === undefined ? undefined : payloads.decode(heartbeatDetails as string),
    lastFailure: lastFailure === undefined ? undefined : failures.decode(lastFailure as string),
    priority: own === undefined ? undefined : priority.decode(own as string),
  } as ActivityInfo);
}

type PolicyName = keyof typeof ParentClosePolicy;
type StoredUpdate = Omit<UpdateInfo, 'request' | 'failure'> & {
  readonly request?: string;
  readonly failure?: string;
};
type StoredChild = Omit<ChildInfo, 'parentClosePolicy'> & { readonly parentClosePolicy: string };

const mapFields = {
  timers: keyed<TimerInfo>((timer) => timer.timerId),
  children: keyed<ChildInfo>(
    (child) => child.initiatedEventId,
    (child): StoredChild => ({
      ...child,
      parentClosePolicy: ParentClosePolicy[child.parentClosePolicy],
    }),
    (stored: StoredChild) => ({
      ...stored,
      parentClosePolicy: ParentClosePolicy[stored.parentClosePolicy as PolicyName],
    }),
  ),
  externalCancels: keyed<ExternalInfo>((cancel) => cancel.initiatedEventId),
  externalSignals: keyed<ExternalInfo>((signal) => signal.initiatedEventId),
  updates: keyed<UpdateInfo>(
    (update) => update.updateId,
    ({ request, failure: why, ...rest }): StoredUpdate => ({
      ...rest,
      ...(request && { request: updateRequest.encode(request) }),
      ...(why && { failure: failures.encode(why) }),
    }),
    ({ request, failure: why, ...rest }: StoredUpdate) => ({
      ...rest,
      ...(request !== undefined && { request: updateRequest.decode(request) }),
      ...(why !== undefined && { failure: failures.decode(why) }),
    }),
  ),
  requestIds: {
    encode: (map: ReadonlyMap<unknown, unknown>) =>
      [...(map as ReadonlyMap<string, RequestIdInfo>)].map(([id, info]) => [
        id,
        EventType[info.eventType],
        info.eventId,
      ]),
    decode: (values: unknown[]) =>
      new Map(
        (values as [string, keyof typeof EventType, number][]).map(([id, name, eventId]) => [
          id,
          { eventType: EventType[name], eventId },
        ]),
      ),
  },
} satisfies Partial<Record<keyof RunState, MapField>>;

/** Fields that are not stored as they are. */
const decoders: Readonly<Record<string, (stored: never, row: StateRow) => unknown>> = {
  requestIds: mapFields.requestIds.decode,
  retryPolicy: decodePolicy,
  workflowTask: copyOfWorkflowTask,
  activities: (values: StoredActivity[], { taskQueue }) => {
    const activities = values.map((stored) => decodeActivity(stored, taskQueue));
    return new Map(activities.map((activity) => [activity.scheduledEventId, activity]));
  },
  timers: mapFields.timers.decode,
  children: mapFields.children.decode,
  externalCancels: mapFields.externalCancels.decode,
  externalSignals: mapFields.externalSignals.decode,
  signalRequestIds: (ids: string[]) => new Set(ids),
  updates: mapFields.updates.decode,
  completedUpdates: (entries: [string, number][]) => new Map(entries),
  buffered: (batch: string) => decodeBatch(bytesOf(batch)),
  memo: memo.decode,
  searchAttributes: searchAttributes.decode,
  priority: priority.decode,
  lastCompletionResult: payloads.decode,
  startAttributes: startAttributes.decode,
  schedule: decodeSchedule,
  batch: decodeBatchState,
};
