/** Task tokens: which run, which task, which attempt. Opaque to workers; a forged one finds nothing. */
import type { ActivityToken, WorkflowTaskToken } from '../core/input.ts';
import { ServiceError } from '../service/service-error.ts';
import type { RunKey } from '../store/store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export type TaskToken =
  | { readonly kind: 'workflow'; readonly key: RunKey; readonly token: WorkflowTaskToken }
  | { readonly kind: 'activity'; readonly key: RunKey; readonly token: ActivityToken };

export function encodeWorkflowTaskToken(key: RunKey, token: WorkflowTaskToken): Uint8Array {
  return encoder.encode(
    JSON.stringify([
      'w',
      key.namespaceId,
      key.workflowId,
      key.runId,
      token.scheduledEventId,
      token.startedEventId,
      token.startedTime,
      token.attempt,
      token.stamp,
    ]),
  );
}

export function encodeActivityToken(key: RunKey, token: ActivityToken): Uint8Array {
  return encoder.encode(
    JSON.stringify([
      'a',
      key.namespaceId,
      key.workflowId,
      key.runId,
      token.scheduledEventId,
      token.attempt,
      token.stamp,
    ]),
  );
}

export function decodeTaskToken<K extends TaskToken['kind']>(
  kind: K,
  bytes: Uint8Array | null | undefined,
  namespaceId: string,
): Extract<TaskToken, { kind: K }> {
  if (!bytes || bytes.length === 0) {
    throw new ServiceError({ code: 'INVALID_ARGUMENT', message: 'Task token not set on request.' });
  }
  const fields = parse(bytes);
  const [letter, namespace, workflowId, runId, ...numbers] = fields;
  const length = kind === 'workflow' ? 5 : 3;
  if (
    letter !== (kind === 'workflow' ? 'w' : 'a') ||
    typeof namespace !== 'string' ||
    typeof workflowId !== 'string' ||
    typeof runId !== 'string' ||
    numbers.length !== length ||
    !numbers.every((n): n is number => typeof n === 'number' && Number.isSafeInteger(Math.trunc(n)))
  ) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message: 'Error deserializing task token.',
    });
  }
  if (namespace !== namespaceId) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message: 'Operation requested with a token from a different namespace.',
    });
  }
  const key: RunKey = { namespaceId: namespace, workflowId, runId };
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = numbers;
  const token: TaskToken =
    kind === 'workflow'
      ? {
          kind: 'workflow',
          key,
          token: { scheduledEventId: a, startedEventId: b, startedTime: c, attempt: d, stamp: e },
        }
      : { kind: 'activity', key, token: { scheduledEventId: a, attempt: b, stamp: c } };
  return token as Extract<TaskToken, { kind: K }>;
}

function parse(bytes: Uint8Array): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (Array.isArray(value)) return value;
  } catch {
    // Falls through: whatever it was, it is not a token of ours.
  }
  throw new ServiceError({ code: 'INVALID_ARGUMENT', message: 'Error deserializing task token.' });
}
