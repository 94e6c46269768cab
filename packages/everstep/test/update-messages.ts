/** What a worker answers to updates: the messages, and the commands that give them their place. */
import proto from '@temporalio/proto';
import type { Command, Failure, UpdateMessage } from '../src/core/proto.ts';
import { payloadsOf } from './core-driver.ts';

const { Acceptance, Rejection, Request, Response } = proto.temporal.api.update.v1;
const prefix = 'type.googleapis.com/temporal.api.update.v1.';

/** The request that a poll's message holds. */
export function requestIn(message: UpdateMessage | undefined) {
  return Request.decode(message?.body?.value ?? new Uint8Array());
}

export function acceptance(updateId: string): UpdateMessage {
  return {
    id: `${updateId}/accept`,
    protocolInstanceId: updateId,
    body: {
      type_url: `${prefix}Acceptance`,
      value: Acceptance.encode({ acceptedRequestMessageId: `${updateId}/request` }).finish(),
    },
  };
}

export function response(updateId: string, result: unknown = 'done'): UpdateMessage {
  const body = { meta: { updateId }, outcome: { success: payloadsOf(result) } };
  return {
    id: `${updateId}/complete`,
    protocolInstanceId: updateId,
    body: { type_url: `${prefix}Response`, value: Response.encode(body).finish() },
  };
}

export function rejection(
  updateId: string,
  failure: Failure = { message: 'no', applicationFailureInfo: { type: 'Refused' } },
): UpdateMessage {
  const body = { rejectedRequestMessageId: `${updateId}/request`, failure };
  return {
    id: `${updateId}/reject`,
    protocolInstanceId: updateId,
    body: { type_url: `${prefix}Rejection`, value: Rejection.encode(body).finish() },
  };
}

export function placeOf(message: UpdateMessage): Command {
  return {
    commandType: proto.temporal.api.enums.v1.CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
    protocolMessageCommandAttributes: { messageId: message.id ?? '' },
  };
}
