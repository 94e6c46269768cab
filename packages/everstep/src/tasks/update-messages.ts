/** What travels about updates between service and worker: messages whose bodies are packed protobuf. */
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { WorkflowTask } from '../service/local-worker.ts';
import { longOf, numberOf } from './int64.ts';
import type { PayloadEdge } from './payload-edge.ts';

type UpdateRequest = temporal.api.update.v1.IRequest;
type Failure = temporal.api.failure.v1.IFailure;
type Message = temporal.api.protocol.v1.IMessage;
type Command = temporal.api.command.v1.ICommand;

const { Request, Acceptance, Rejection, Response } = proto.temporal.api.update.v1;
const { CommandType } = proto.temporal.api.enums.v1;
const prefix = 'type.googleapis.com/temporal.api.update.v1.';

/** An update that is asked. */
export interface UpdateMessage {
  readonly updateId: string;
  readonly messageId: string;
  /** It is to be handled after that event. */
  readonly sequencingEventId: number;
  /** As the code is to see it. */
  readonly request: UpdateRequest;
  /** As it came, for the acceptance; undefined when it stands in the history. */
  readonly wireRequest: UpdateRequest | undefined;
}

export type UpdateAnswer =
  | { readonly kind: 'acceptance'; readonly asked: UpdateMessage }
  | { readonly kind: 'rejection'; readonly asked: UpdateMessage; readonly failure: Failure }
  | { readonly kind: 'response'; readonly asked: UpdateMessage; readonly success: Payload }
  | { readonly kind: 'response'; readonly asked: UpdateMessage; readonly failure: Failure };

/** Hands a run the updates that came with its workflow task, as its code is to see them; a promise where there are. */
export function receiveUpdates(
  updates: { receive(messages: readonly UpdateMessage[]): void } | undefined,
  task: WorkflowTask,
  edge: PayloadEdge,
): Promise<void> | undefined {
  if (updates === undefined || !task.messages?.length) return undefined;
  const decoded = requestsIn(task).map(async (message) =>
    edge.open ? message : { ...message, request: await edge.decodeUpdate(message.request) },
  );
  return Promise.all(decoded).then((messages) => {
    updates.receive(messages);
  });
}

/** Messages of other protocols are left alone. */
function requestsIn({ messages }: WorkflowTask): UpdateMessage[] {
  const found: UpdateMessage[] = [];
  for (const { id, protocolInstanceId, eventId, body } of messages ?? []) {
    if (body?.type_url !== `${prefix}Request`) continue;
    const request = Request.decode(body.value ?? new Uint8Array());
    found.push({
      updateId: protocolInstanceId ?? '',
      messageId: id ?? '',
      sequencingEventId: numberOf(eventId),
      request,
      wireRequest: request,
    });
  }
  return found;
}

export function encodeAnswers(
  answers: readonly UpdateAnswer[],
  edge: PayloadEdge,
): Promise<UpdateAnswer[]> {
  return Promise.all(
    answers.map(async (answer) => {
      if ('failure' in answer) {
        return { ...answer, failure: await edge.encodeFailure(answer.failure) };
      }
      if (answer.kind === 'acceptance') return answer;
      const [success = answer.success] = await edge.encode([answer.success]);
      return { ...answer, success };
    }),
  );
}

const suffixes = { acceptance: 'accept', rejection: 'reject', response: 'complete' } as const;

function messageId({ kind, asked }: UpdateAnswer): string {
  return `${asked.updateId}/${suffixes[kind]}`;
}

/** Their places among the commands. A rejection has none, since it leaves no event. */
export function placesOf(answers: readonly UpdateAnswer[]): Command[] {
  return answers
    .filter(({ kind }) => kind !== 'rejection')
    .map((answer) => ({
      commandType: CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
      protocolMessageCommandAttributes: { messageId: messageId(answer) },
    }));
}

export function wireAnswer(answer: UpdateAnswer): Message {
  const { asked } = answer;
  const { updateId, messageId: acceptedRequestMessageId, wireRequest } = asked;
  const shared = {
    acceptedRequestMessageId,
    acceptedRequestSequencingEventId: longOf(asked.sequencingEventId),
  };
  const message = (type: string, value: Uint8Array): Message => ({
    id: messageId(answer),
    protocolInstanceId: updateId,
    body: { type_url: prefix + type, value },
  });
  switch (answer.kind) {
    case 'acceptance':
      return message(
        'Acceptance',
        Acceptance.encode({
          ...shared,
          ...(wireRequest && { acceptedRequest: wireRequest }),
        }).finish(),
      );
    case 'rejection':
      return message(
        'Rejection',
        Rejection.encode({
          rejectedRequestMessageId: acceptedRequestMessageId,
          rejectedRequestSequencingEventId: longOf(asked.sequencingEventId),
          ...(wireRequest && { rejectedRequest: wireRequest }),
          failure: answer.failure,
        }).finish(),
      );
    case 'response':
      return message(
        'Response',
        Response.encode({
          meta: asked.request.meta ?? { updateId },
          outcome:
            'success' in answer
              ? { success: { payloads: [answer.success] } }
              : { failure: answer.failure },
        }).finish(),
      );
  }
}
