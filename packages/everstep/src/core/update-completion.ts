/** A worker's answers to updates, in the messages of a completed workflow task (UP-1, UP-7). */
import type { CommandContext, CommandHandler, CommandProblem } from './command.ts';
import type { Draft } from './draft.ts';
import { payloadsBytes } from './payload-size.ts';
import { EventType, WorkflowTaskFailedCause } from './proto.ts';
import type { Acceptance, UpdateMessage, UpdateResponse } from './proto.ts';
import { isOpen } from './state.ts';
import { longOf } from './time.ts';
import { workerMessage } from './update-message.ts';
import { addUpdate, applyAccepted, applyUpdateCompleted, rejectUpdate } from './update.ts';

const cause =
  WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;

/** The command says where among the others a message has its place. */
export const protocolMessage: CommandHandler = (draft, command, context) => {
  const id = command.protocolMessageCommandAttributes?.messageId ?? '';
  if (id === '') {
    return { cause, message: 'ProtocolMessageCommand is missing message ID' };
  }
  const message = context.messages.get(id);
  if (!message) {
    return { cause, message: `ProtocolMessageCommand referenced absent message ID ${id}` };
  }
  context.messages.delete(id);
  return applyMessage(draft, message);
};

/** Those no command names, such as rejections, come after the commands. */
export function applyRemainingMessages(
  draft: Draft,
  context: CommandContext,
): CommandProblem | undefined {
  for (const message of context.messages.values()) {
    const problem = applyMessage(draft, message);
    if (problem) return problem;
  }
  return undefined;
}

function applyMessage(draft: Draft, message: UpdateMessage): CommandProblem | undefined {
  const updateId = message.protocolInstanceId ?? '';
  const body = workerMessage(message);
  if (!body) {
    return { cause, message: `Message ${message.id ?? ''} has a body that is not understood.` };
  }
  switch (body.kind) {
    case 'acceptance':
      return acceptUpdate(draft, updateId, body.acceptance);
    case 'response':
      return completeUpdate(draft, updateId, body.response);
    case 'rejection': {
      const { failure } = body.rejection;
      if (!failure) return { cause, message: `Rejection of update ${updateId} has no failure.` };
      rejectUpdate(draft, updateId, failure);
      return undefined;
    }
  }
}

function acceptUpdate(
  draft: Draft,
  updateId: string,
  acceptance: Acceptance,
): CommandProblem | undefined {
  if (!isOpen(draft.state)) return undefined;
  const { acceptedRequest } = acceptance;
  const { updates, completedUpdates } = draft.state;
  if (!updates.has(updateId) && !completedUpdates.has(updateId) && acceptedRequest) {
    // UP-7
    const named = acceptedRequest.meta?.updateId ?? '';
    if (named !== updateId) {
      return { cause, message: `Acceptance of update ${updateId} has the request of ${named}.` };
    }
    addUpdate(draft, acceptedRequest);
  }
  const update = draft.state.updates.get(updateId);
  if (!update) return notFound(updateId);
  if (update.stage !== 'admitted' && update.stage !== 'sent') {
    return { cause, message: `Update ${updateId} was ${update.stage} before it was accepted.` };
  }
  const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, {
    workflowExecutionUpdateAcceptedEventAttributes: {
      protocolInstanceId: updateId,
      acceptedRequestMessageId: acceptance.acceptedRequestMessageId || `${updateId}/request`,
      acceptedRequestSequencingEventId:
        acceptance.acceptedRequestSequencingEventId ?? longOf(update.sequencingEventId),
      ...((update.request ?? acceptedRequest) && {
        acceptedRequest: update.request ?? acceptedRequest ?? null,
      }),
    },
  });
  applyAccepted(draft, event);
  return undefined;
}

function completeUpdate(
  draft: Draft,
  updateId: string,
  response: UpdateResponse,
): CommandProblem | undefined {
  if (!isOpen(draft.state)) return undefined;
  const update = draft.state.updates.get(updateId);
  if (!update) return notFound(updateId);
  if (update.stage !== 'accepted') {
    return { cause, message: `Update ${updateId} was completed before it was accepted.` };
  }
  const { outcome } = response;
  if (!outcome) return { cause, message: `Response to update ${updateId} has no outcome.` };
  if (payloadsBytes(outcome.success) > draft.env.limits.payloadBytesMax) {
    return {
      cause,
      message: `Outcome of update ${updateId} exceeds size limit.`,
      terminate: true,
    };
  }
  const event = draft.add(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, {
    workflowExecutionUpdateCompletedEventAttributes: {
      meta: { updateId, identity: update.identity },
      acceptedEventId: longOf(update.acceptedEventId),
      outcome,
    },
  });
  applyUpdateCompleted(draft, event);
  return undefined;
}

function notFound(updateId: string): CommandProblem {
  return {
    cause,
    message: `update ${updateId} wasn't found on the server. This is most likely a transient error which will be resolved automatically by retries`,
  };
}
