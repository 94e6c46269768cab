/** A provider's webhook as a signal to the task that waits for it: checked first, and only once for its key. */
import { createHash } from 'node:crypto';
import { encodeToPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { EverstepError } from '../service/error-codes.ts';
import { shown } from './duration.ts';
import { isFields } from './known-fields.ts';
import { whileRunning } from './running-task.ts';
import type { TaskClient } from './task-client.ts';
import { isSignedBy, webhookSignature } from './webhook-signature.ts';

export interface WebhookDelivery {
  /** What the provider signs with; the same as the remoteJob's `webhook.secret`. */
  readonly secret: string;
  /** As it came: signed are its bytes, and parsing would change them. */
  readonly body: string | Uint8Array;
  /** The header's value. */
  readonly signature: string | null | undefined;
}

/** What the signal carries, for the waiting side to check again. */
interface WebhookSignal {
  readonly bodyBase64: string;
  readonly signature: string;
}

export function webhookSignalName(key: string): string {
  return `webhook:${key}`;
}

export function isSignedWebhook(secret: string, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { bodyBase64, signature } = value as Partial<WebhookSignal>;
  return (
    typeof bodyBase64 === 'string' &&
    isSignedBy(secret, Buffer.from(bodyBase64, 'base64'), signature)
  );
}

/** What is no delivery at all is a fault of the caller's code; a signature that does not fit is the sender's. */
function checkDelivery(taskId: string, key: unknown, delivery: unknown): void {
  const problem = deliveryProblem(key, delivery);
  if (problem === undefined) return;
  throw new EverstepError('SUBMIT_OPTIONS_INVALID', `webhook() of task ${taskId}: ${problem}.`, {
    taskId,
  });
}

function deliveryProblem(key: unknown, delivery: unknown): string | undefined {
  if (typeof key !== 'string' || key === '') {
    return `the key is ${shown(key)}; expected the key of a remoteJob`;
  }
  if (!isFields(delivery)) {
    return `the delivery is ${shown(delivery)}; expected { secret, body, signature }`;
  }
  const { secret, body } = delivery as Partial<Record<keyof WebhookDelivery, unknown>>;
  if (typeof secret !== 'string' || secret === '') {
    return `secret is ${shown(secret)}; expected a string that is not empty`;
  }
  if (typeof body === 'string' || body instanceof Uint8Array) return undefined;
  return `body is ${shown(body)}; expected the raw body as it came, a string or bytes: parsed and written again, it would not fit its signature`;
}

export async function signalWebhook(
  task: TaskClient,
  taskId: string,
  key: string,
  delivery: WebhookDelivery,
): Promise<void> {
  checkDelivery(taskId, key, delivery);
  const { secret, body, signature } = delivery;
  if (!isSignedBy(secret, body, signature)) {
    throw new EverstepError(
      'WEBHOOK_REFUSED',
      `The webhook for step "${key}" of task ${taskId} is refused: its signature does not fit its body and secret. Expected HMAC-SHA256 over the raw body, in hex or base64.`,
      { taskId },
    );
  }
  const { client } = task;
  const bytes = Buffer.from(body as Uint8Array);
  const signal: WebhookSignal = {
    bodyBase64: bytes.toString('base64'),
    signature: signature ?? '',
  };
  const payloads = await encodeToPayloads(client.options.loadedDataConverter, signal);
  await whileRunning(task, taskId, () =>
    client.workflowService.signalWorkflowExecution({
      namespace: client.options.namespace,
      identity: client.options.identity,
      workflowExecution: { workflowId: taskId },
      signalName: webhookSignalName(key),
      input: { payloads: payloads ?? [] },
      requestId: webhookRequestId(key, secret, bytes),
    }),
  );
}

/**
 * The service drops a second signal of the same id. So the id is of the key and the secret as well: two jobs may be
 * sent equal bodies, and what is signed with another secret must not keep the right one out.
 */
function webhookRequestId(key: string, secret: string, body: Uint8Array): string {
  const identity = JSON.stringify([key, webhookSignature(secret, body)]);
  return `webhook-${createHash('sha256').update(identity).digest('hex')}`;
}
