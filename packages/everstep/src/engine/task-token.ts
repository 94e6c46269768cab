/** Task tokens: which run, which task, which attempt. Opaque to workers; a forged one finds nothing. */
import type { ActivityToken, WorkflowTaskToken } from '../core/input.ts';
import { ServiceError } from '../service/service-error.ts';
import type { RunKey } from '../store/store.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export type TaskToken =
  | { readonly kind: 'workflow'; readonly key: RunKey; readonly token: WorkflowTaskToken }
  | { readonly kind: 'activity'; readonly key: RunKey; readonly token: ActivityToken };

/** Workflow tasks that never leave the process need none. */
export const noTaskToken = new Uint8Array();

export function encodeWorkflowTaskToken(key: RunKey, token: WorkflowTaskToken): Uint8Array {
  const { scheduledEventId, startedEventId, startedTime, attempt, stamp } = token;
  return encoder.encode(
    `w ${key.namespaceId} ${key.runId} ${scheduledEventId} ${startedEventId} ${startedTime} ${attempt} ${stamp} ${key.workflowId}`,
  );
}

export function encodeActivityToken(key: RunKey, token: ActivityToken): Uint8Array {
  const { scheduledEventId, attempt, stamp } = token;
  return encoder.encode(
    `a ${key.namespaceId} ${key.runId} ${scheduledEventId} ${attempt} ${stamp} ${key.workflowId}`,
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
  const fields = forms[kind].exec(textOf(bytes));
  if (!fields) throw badToken();
  // The workflow id may hold anything, so it comes last.
  const [, namespace = '', runId = '', ...rest] = fields;
  const workflowId = rest.pop() ?? '';
  if (namespace !== namespaceId) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message: 'Operation requested with a token from a different namespace.',
    });
  }
  const key: RunKey = { namespaceId, workflowId, runId };
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = rest.map(Number);
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

const number = String.raw`(\d{1,15}(?:\.\d+)?)`;
const forms = {
  workflow: new RegExp(
    `^w (\\S+) (\\S+) ${[number, number, number, number, number].join(' ')} (.*)$`,
    's',
  ),
  activity: new RegExp(`^a (\\S+) (\\S+) ${[number, number, number].join(' ')} (.*)$`, 's'),
};

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
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
