/** What a worker answers to updates: the messages, and the commands that give them their place. */
import proto from '@temporalio/proto';
import type Long from 'long';
import type { Command, Failure, UpdateMessage, UpdateRequest } from '../src/core/proto.ts';
import { payloadsOf } from './core-driver.ts';

const { Acceptance, Rejection, Request, Response } = proto.temporal.api.update.v1;
const prefix = 'type.googleapis.com/temporal.api.update.v1.';

/** The request that a poll's message holds. */
export function requestIn(message: UpdateMessage | undefined) {
  return Request.decode(message?.body?.value ?? new Uint8Array());
}

/** Temporal's server wants to be told after which event the request came; the embedded engine knows. */
export function acceptance(
  updateId: string,
  sequencingEventId?: Long,
  acceptedRequest?: UpdateRequest,
): UpdateMessage {
  const body = {
    acceptedRequestMessageId: `${updateId}/request`,
    ...(sequencingEventId && { acceptedRequestSequencingEventId: sequencingEventId }),
    ...(acceptedRequest && { acceptedRequest }),
  };
  return {
    id: `${updateId}/accept`,
    protocolInstanceId: updateId,
    body: {
      type_url: `${prefix}Acceptance`,
      value: Acceptance.encode(body).finish(),
    },
  };
}

export function response(updateId: string, result: unknown = 'done', identity = ''): UpdateMessage {
  const body = { meta: { updateId, identity }, outcome: { success: payloadsOf(result) } };
  return {
    id: `${updateId}/complete`,
    protocolInstanceId: updateId,
    body: { type_url: `${prefix}Response`, value: Response.encode(body).finish() },
  };
}

export function rejection(
  updateId: string,
  failure: Failure = { message: 'no', applicationFailureInfo: { type: 'Refused' } },
  sequencingEventId?: Long,
): UpdateMessage {
  const body = {
    rejectedRequestMessageId: `${updateId}/request`,
    failure,
    ...(sequencingEventId && { rejectedRequestSequencingEventId: sequencingEventId }),
  };
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
