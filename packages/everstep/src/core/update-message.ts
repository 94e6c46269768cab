/** What travels between server and worker about an update: messages whose bodies are packed protobuf (temporal.api.protocol.v1). */
import proto from '@temporalio/proto';
import type {
  Acceptance,
  Rejection,
  UpdateMessage,
  UpdateRequest,
  UpdateResponse,
} from './proto.ts';
import { longOf } from './time.ts';

const types = proto.temporal.api.update.v1;
const prefix = 'type.googleapis.com/temporal.api.update.v1.';

export function updateRequestMessage(
  updateId: string,
  request: UpdateRequest,
  sequencingEventId: number,
): UpdateMessage {
  return {
    id: `${updateId}/request`,
    protocolInstanceId: updateId,
    eventId: longOf(sequencingEventId),
    body: { type_url: `${prefix}Request`, value: types.Request.encode(request).finish() },
  };
}

export type WorkerMessage =
  | { readonly kind: 'acceptance'; readonly acceptance: Acceptance }
  | { readonly kind: 'rejection'; readonly rejection: Rejection }
  | { readonly kind: 'response'; readonly response: UpdateResponse };

/** Undefined for a body of another type, or one that does not decode. */
export function workerMessage(message: UpdateMessage): WorkerMessage | undefined {
  const type = message.body?.type_url?.split('/').at(-1) ?? '';
  const bytes = message.body?.value ?? new Uint8Array();
  try {
    switch (type) {
      case 'temporal.api.update.v1.Acceptance':
        return { kind: 'acceptance', acceptance: types.Acceptance.decode(bytes) };
      case 'temporal.api.update.v1.Rejection':
        return { kind: 'rejection', rejection: types.Rejection.decode(bytes) };
      case 'temporal.api.update.v1.Response':
        return { kind: 'response', response: types.Response.decode(bytes) };
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}
