/**
 * Updates: requests that a run's code accepts and answers, or rejects (section 8).
 *
 *   admitted → sent → accepted → completed
 *                   → rejected
 *
 * An admitted update stands in the state, and so does the workflow task that it may have for itself
 * (speculative-task.ts): both outlive the process. A rejected one writes no event. What a worker says of updates are
 * the messages of update-message.ts.
 */
import type { Draft } from './draft.ts';
import type { EventTable } from './event-table.ts';
import { EventType } from './proto.ts';
import type { HistoryEvent, UpdateMessage, UpdateRequest } from './proto.ts';
import { updateRequestMessage } from './update-message.ts';
import type { RunState, UpdateInfo } from './state.ts';
import { numberOf } from './time.ts';

/** How long a rejection can be asked for by whoever waits in another process. */
const rejectionKeptMs = 60_000;

/** In flight or completed; a rejected one may be asked again. */
export function isKnownUpdate(state: RunState, updateId: string): boolean {
  if (state.completedUpdates.has(updateId)) return true;
  const update = state.updates.get(updateId);
  return update !== undefined && update.stage !== 'rejected';
}

/** Into the state, without a workflow task: update-with-start has the first one anyway. */
export function addUpdate(draft: Draft, request: UpdateRequest): void {
  const updateId = request.meta?.updateId ?? '';
  draft.own('updates').set(updateId, {
    updateId,
    stage: 'admitted',
    request,
    identity: request.meta?.identity ?? '',
    sequencingEventId: 0,
    acceptedEventId: 0,
    endedTime: 0,
  });
}

/** Some update waits to be sent, so a task is wanted. */
export function wantsToSend(state: RunState): boolean {
  for (const { stage } of state.updates.values()) if (stage === 'admitted') return true;
  return false;
}

/**
 * The messages of a task that has just been started, in the order of admission (WT-11). A worker with a cache has
 * those of the task before; one that begins anew gets all that it has not accepted.
 */
export function sendUpdates(draft: Draft, cached: boolean): UpdateMessage[] {
  const task = draft.state.workflowTask;
  if (!task || draft.state.updates.size === 0) return [];
  const messages: UpdateMessage[] = [];
  const sequencingEventId = task.startedEventId - 1;
  for (const update of draft.state.updates.values()) {
    const { stage, request, updateId } = update;
    if (!request || !(stage === 'admitted' || (stage === 'sent' && !cached))) continue;
    draft.own('updates').set(updateId, { ...update, stage: 'sent', sequencingEventId });
    messages.push(updateRequestMessage(updateId, request, sequencingEventId));
  }
  return messages;
}

/** The messages a started task already has, for a poll that asks again (WT-8). */
export function sentUpdates(state: RunState): UpdateMessage[] {
  const messages: UpdateMessage[] = [];
  for (const { stage, request, updateId, sequencingEventId } of state.updates.values()) {
    if (stage === 'sent' && request) {
      messages.push(updateRequestMessage(updateId, request, sequencingEventId));
    }
  }
  return messages;
}

/** WT-25: what was sent with the task and not answered will not be. */
export function rejectUnprocessed(draft: Draft): void {
  for (const { stage, updateId } of draft.state.updates.values()) {
    if (stage === 'sent') rejectUpdate(draft, updateId, unprocessed);
  }
}

const unprocessed = {
  message:
    "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.",
  source: 'Server',
  applicationFailureInfo: { type: 'UnprocessedUpdate', nonRetryable: true },
};

/** Kept for a while so that whoever waits hears of it; for a new request it is as if it had never been. */
export function rejectUpdate(
  draft: Draft,
  updateId: string,
  failure: NonNullable<UpdateInfo['failure']>,
): void {
  const updates = draft.own('updates');
  for (const { stage, endedTime, updateId: id } of updates.values()) {
    if (stage === 'rejected' && endedTime + rejectionKeptMs < draft.now) updates.delete(id);
  }
  const update = updates.get(updateId);
  if (!update) return;
  const { request: _request, ...rest } = update;
  updates.set(updateId, { ...rest, stage: 'rejected', failure, endedTime: draft.now });
  draft.touch();
}

function applyAdmitted(draft: Draft, event: HistoryEvent): void {
  const request = event.workflowExecutionUpdateAdmittedEventAttributes?.request;
  if (request) addUpdate(draft, request);
}

export function applyAccepted(draft: Draft, event: HistoryEvent): void {
  const attributes = event.workflowExecutionUpdateAcceptedEventAttributes;
  const updateId = attributes?.protocolInstanceId ?? '';
  const before = draft.state.updates.get(updateId);
  draft.own('updates').set(updateId, {
    updateId,
    stage: 'accepted',
    identity: attributes?.acceptedRequest?.meta?.identity ?? before?.identity ?? '',
    sequencingEventId: numberOf(attributes?.acceptedRequestSequencingEventId),
    acceptedEventId: numberOf(event.eventId),
    endedTime: 0,
  });
}

export function applyUpdateCompleted(draft: Draft, event: HistoryEvent): void {
  const updateId = event.workflowExecutionUpdateCompletedEventAttributes?.meta?.updateId ?? '';
  draft.own('updates').delete(updateId);
  draft.own('completedUpdates').set(updateId, numberOf(event.eventId));
}

export const updateEvents: EventTable = {
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED]: applyAdmitted,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED]: applyAccepted,
  [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED]: applyUpdateCompleted,
};
