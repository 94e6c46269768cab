/**
 * Task tokens: which run, which task, which attempt. Opaque to workers; a forged one finds nothing. The fields that
 * Temporal's own tokens have are where it has them, so that a token of its kind is one of an unknown run.
 */
import protobuf from 'protobufjs';
import type { ActivityToken, WorkflowTaskToken } from '../core/input.ts';
import { WireWriter } from '../core/wire-writer.ts';
import { ServiceError } from '../service/service-error.ts';
import type { RunKey } from '../store/store.ts';

export type TaskToken =
  | { readonly kind: 'workflow'; readonly key: RunKey; readonly token: WorkflowTaskToken }
  | { readonly kind: 'activity'; readonly key: RunKey; readonly token: ActivityToken };

/** Workflow tasks that never leave the process need none. */
export const noTaskToken = new Uint8Array();

interface Fields {
  readonly namespaceId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly scheduledEventId: number;
  readonly attempt: number;
  /** A workflow task's, ours alone: behind the numbers that Temporal uses. */
  readonly startedEventId: number;
  readonly startedTime: number;
  readonly stamp: number;
  readonly workflowTask: boolean;
}

const { Field, Type } = protobuf;
const type = new Type('TaskToken')
  .add(new Field('namespaceId', 1, 'string'))
  .add(new Field('workflowId', 2, 'string'))
  .add(new Field('runId', 3, 'string'))
  .add(new Field('scheduledEventId', 4, 'uint32'))
  .add(new Field('attempt', 5, 'uint32'))
  .add(new Field('startedEventId', 101, 'uint32'))
  .add(new Field('startedTime', 102, 'double'))
  .add(new Field('stamp', 103, 'uint32'))
  .add(new Field('workflowTask', 104, 'bool'));
new protobuf.Root().add(type);

const writer = new WireWriter();

export function encodeWorkflowTaskToken(key: RunKey, token: WorkflowTaskToken): Uint8Array {
  return type.encode({ ...key, ...token, workflowTask: true }).finish();
}

/** Tokens that a worker of this process is given and gives back as they are: what they say is known. */
const knownActivityTokens = new WeakMap<Uint8Array, Extract<TaskToken, { kind: 'activity' }>>();

export function encodeActivityToken(key: RunKey, token: ActivityToken): Uint8Array {
  const { namespaceId, workflowId, runId } = key;
  const { scheduledEventId, attempt, stamp } = token;
  const fields = { namespaceId, workflowId, runId, scheduledEventId, attempt, stamp };
  const bytes = (type.encode(fields, writer as never) as unknown as WireWriter).finish();
  knownActivityTokens.set(bytes, { kind: 'activity', key, token });
  return bytes;
}

export function decodeTaskToken<K extends TaskToken['kind']>(
  kind: K,
  bytes: Uint8Array | null | undefined,
  namespaceId: string,
): Extract<TaskToken, { kind: K }> {
  if (!bytes || bytes.length === 0) {
    throw new ServiceError({ code: 'INVALID_ARGUMENT', message: 'Task token not set on request.' });
  }
  const known = kind === 'activity' ? knownActivityTokens.get(bytes) : undefined;
  if (known?.key.namespaceId === namespaceId) return known as Extract<TaskToken, { kind: K }>;
  const fields = fieldsOf(bytes);
  const { workflowId, runId, scheduledEventId, attempt, stamp, startedEventId, startedTime } =
    fields;
  if (fields.workflowTask !== (kind === 'workflow') || runId === '') throw badToken();
  if (fields.namespaceId !== namespaceId) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message: 'Operation requested with a token from a different namespace.',
    });
  }
  const key: RunKey = { namespaceId, workflowId, runId };
  const token: TaskToken =
    kind === 'workflow'
      ? { kind, key, token: { scheduledEventId, startedEventId, startedTime, attempt, stamp } }
      : { kind: 'activity', key, token: { scheduledEventId, attempt, stamp } };
  return token as Extract<TaskToken, { kind: K }>;
}

function fieldsOf(bytes: Uint8Array): Fields {
  try {
    return type.decode(bytes) as unknown as Fields;
  } catch (cause) {
    throw badToken(cause);
  }
}

function badToken(cause?: unknown): ServiceError {
  return new ServiceError(
    { code: 'INVALID_ARGUMENT', message: 'Error deserializing task token.' },
    { cause },
  );
}
