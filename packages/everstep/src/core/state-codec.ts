/**
 * A run's state as bytes. It runs at every commit, so it is one `JSON.stringify` over what differs from an empty
 * run; fields of the wire's types are their wire bytes, encoded once as long as the object stays the same.
 *
 * The first byte is the format. A new format gets the next number; a number is never used again.
 */
import proto from '@temporalio/proto';
import { decodeBatch, encodeBatch } from './history-batch.ts';
import { InvariantViolation } from './invariant.ts';
import { EventType, ParentClosePolicy } from './proto.ts';
import { emptyRun } from './start.ts';
import type {
  ActivityInfo,
  ChildInfo,
  ExternalInfo,
  RequestIdInfo,
  RunState,
  TimerInfo,
} from './state.ts';

const format = 1;

const { common, failure, history } = proto.temporal.api;

interface WireType<T> {
  encode(value: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

interface WireField<T> {
  encode(value: T): string;
  decode(text: string): T;
}

/** Memo, attributes and results stay the same object from commit to commit: their bytes are made once. */
const encoded = new WeakMap<object, string>();

function wireField<T extends object>(type: WireType<T>): WireField<T> {
  return {
    encode(value) {
      let text = encoded.get(value);
      if (text === undefined) {
        text = base64(type.encode(value).finish());
        encoded.set(value, text);
      }
      return text;
    },
    decode: (text) => type.decode(bytesOf(text)),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Copied: a slice of Node's shared pool would keep the whole pool alive. */
function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

const payloads = wireField(common.v1.Payloads as WireType<proto.temporal.api.common.v1.IPayloads>);
const priority = wireField(common.v1.Priority as WireType<proto.temporal.api.common.v1.IPriority>);
const failures = wireField(failure.v1.Failure as WireType<proto.temporal.api.failure.v1.IFailure>);

/** Fields of the run that are messages of the wire. */
const runFields: Readonly<
  Record<string, { encode(value: never): string; decode(text: string): unknown }>
> = {
  memo: wireField(common.v1.Memo as WireType<proto.temporal.api.common.v1.IMemo>),
  searchAttributes: wireField(
    common.v1.SearchAttributes as WireType<proto.temporal.api.common.v1.ISearchAttributes>,
  ),
  priority,
  lastCompletionResult: payloads,
  startAttributes: wireField(
    history.v1
      .WorkflowExecutionStartedEventAttributes as WireType<proto.temporal.api.history.v1.IWorkflowExecutionStartedEventAttributes>,
  ),
};

type Stored = Record<string, unknown>;

const blank: Stored = {
  ...emptyRun({ namespaceId: '', namespace: '', runId: '', createRequestId: '' }),
};
const text = new TextEncoder();
const utf8 = new TextDecoder();

export function encodeState(state: RunState): Uint8Array {
  const stored: Stored = {};
  for (const field in state) {
    const value = (state as unknown as Stored)[field];
    if (value === undefined || value === blank[field]) continue;
    const wire = runFields[field];
    if (wire) stored[field] = wire.encode(value as never);
    else if (value instanceof Map) {
      if (value.size > 0) stored[field] = (mapFields[field] ?? unknownField(field)).encode(value);
    } else if (value instanceof Set) {
      if (value.size > 0) stored[field] = [...value];
    } else if (field === 'buffered') {
      if (state.buffered.length > 0) stored[field] = base64(encodeBatch(state.buffered));
    } else if (!Array.isArray(value) || value.length > 0) stored[field] = value;
  }
  const json = text.encode(JSON.stringify(stored));
  const bytes = new Uint8Array(json.length + 1);
  bytes[0] = format;
  bytes.set(json, 1);
  return bytes;
}

export function decodeState(bytes: Uint8Array): RunState {
  if (bytes[0] !== format) {
    throw new InvariantViolation('this state was written in a format of another version', {
      format: bytes[0] ?? -1,
    });
  }
  const stored = JSON.parse(utf8.decode(bytes.subarray(1))) as Stored;
  const state: Stored = {
    ...emptyRun({ namespaceId: '', namespace: '', runId: '', createRequestId: '' }),
  };
  for (const field in stored) {
    const value = stored[field];
    const wire = runFields[field];
    if (wire) state[field] = wire.decode(value as string);
    else if (field === 'buffered') state[field] = decodeBatch(bytesOf(value as string));
    else if (field === 'signalRequestIds') state[field] = new Set(value as string[]);
    else if (mapFields[field]) state[field] = mapFields[field].decode(value as unknown[]);
    else state[field] = value;
  }
  return state as unknown as RunState;
}

function unknownField(field: string): never {
  throw new InvariantViolation('a map of the state has no codec', { field });
}

interface MapField {
  encode(map: ReadonlyMap<unknown, unknown>): unknown[];
  decode(values: unknown[]): Map<unknown, unknown>;
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

type StoredActivity = Omit<ActivityInfo, 'heartbeatDetails' | 'lastFailure' | 'priority'> & {
  readonly heartbeatDetails?: string;
  readonly lastFailure?: string;
  readonly priority?: string;
};

function encodeActivity(activity: ActivityInfo): StoredActivity {
  const { heartbeatDetails, lastFailure, priority: own, ...rest } = activity;
  return {
    ...rest,
    ...(heartbeatDetails && { heartbeatDetails: payloads.encode(heartbeatDetails) }),
    ...(lastFailure && { lastFailure: failures.encode(lastFailure) }),
    ...(own && { priority: priority.encode(own) }),
  };
}

function decodeActivity(stored: StoredActivity): ActivityInfo {
  const { heartbeatDetails, lastFailure, priority: own, ...rest } = stored;
  return {
    ...rest,
    ...(heartbeatDetails !== undefined && { heartbeatDetails: payloads.decode(heartbeatDetails) }),
    ...(lastFailure !== undefined && { lastFailure: failures.decode(lastFailure) }),
    ...(own !== undefined && { priority: priority.decode(own) }),
  };
}

type PolicyName = keyof typeof ParentClosePolicy;
type StoredChild = Omit<ChildInfo, 'parentClosePolicy'> & { readonly parentClosePolicy: string };

const mapFields: Readonly<Record<string, MapField>> = {
  activities: keyed<ActivityInfo>(
    (activity) => activity.scheduledEventId,
    encodeActivity,
    decodeActivity,
  ),
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
  requestIds: {
    encode: (map) =>
      [...(map as ReadonlyMap<string, RequestIdInfo>)].map(([id, info]) => [
        id,
        EventType[info.eventType],
        info.eventId,
      ]),
    decode: (values) =>
      new Map(
        (values as [string, keyof typeof EventType, number][]).map(([id, name, eventId]) => [
          id,
          { eventType: EventType[name], eventId },
        ]),
      ),
  },
};
