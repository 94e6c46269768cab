/**
 * Notes between processes on one store. Mail makes things quick and nothing depends on it: a lost interrupt is
 * found by the step's heartbeat, a lost query by its caller's deadline, lost news of a worker by its next heartbeat.
 */
import type { Interrupt } from '../core/input.ts';

export type Mail =
  | ({ readonly kind: 'interrupt'; readonly runId: string } & Interrupt)
  | {
      readonly kind: 'query';
      readonly queryId: string;
      readonly replyTo: string;
      readonly namespaceId: string;
      readonly workflowId: string;
      readonly runId: string;
      /** Base64 of temporal.api.query.v1.WorkflowQuery. */
      readonly query: string;
    }
  | {
      readonly kind: 'queryAnswer';
      readonly queryId: string;
      /** Base64 of RespondQueryTaskCompletedRequest. */
      readonly answer: string;
    }
  | {
      readonly kind: 'workers';
      readonly namespaceId: string;
      /** Base64 of RecordWorkerHeartbeatRequest. */
      readonly heartbeats: string;
    };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeMail(mail: Mail): Uint8Array {
  return encoder.encode(JSON.stringify(mail));
}

export function decodeMail(bytes: Uint8Array): Mail {
  return JSON.parse(decoder.decode(bytes)) as Mail;
}
