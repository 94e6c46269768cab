/** A provider's webhook as a signal to the task that waits for it: checked first, and only once for its key. */
import { createHash } from 'node:crypto';
import { encodeToPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { EverstepError } from '../service/error-codes.ts';
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

export async function signalWebhook(
  task: TaskClient,
  taskId: string,
  key: string,
  { secret, body, signature }: WebhookDelivery,
): Promise<void> {
  if (typeof secret !== 'string' || secret === '' || !isSignedBy(secret, body, signature)) {
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
