/** What a scripted worker says to updates: yes with the answer or without, no, or nothing (WT-25). */
import type { UpdateMessage } from '../../src/core/proto.ts';
import type { WorkflowTask } from '../../src/service/local-worker.ts';
import type { Chance } from '../chance.ts';
import { acceptance, rejection, requestIn, response } from '../update-messages.ts';
import type { RunView } from './run-view.ts';

/** The answer to an update is its id. */
export function answerUpdates(
  task: WorkflowTask,
  view: RunView,
  chance: Chance,
  finishing: boolean,
): UpdateMessage[] {
  const messages: UpdateMessage[] = [];
  for (const updateId of view.updates) {
    if (finishing || chance.next() < 0.6) messages.push(response(updateId, updateId));
  }
  for (const { protocolInstanceId } of task.messages ?? []) {
    const updateId = protocolInstanceId ?? '';
    const at = chance.next();
    if (at < 0.1) continue;
    if (at < 0.25) messages.push(rejection(updateId));
    else messages.push(acceptance(updateId));
    if (at >= 0.5) messages.push(response(updateId, updateId));
  }
  return messages;
}

export function rejectUpdates({ messages }: WorkflowTask): UpdateMessage[] {
  return (messages ?? []).map(({ protocolInstanceId }) => rejection(protocolInstanceId ?? ''));
}

/** UP-7: an update that it was offered once, and that has been forgotten since, is accepted with its request. */
export function reviveUpdate(
  task: WorkflowTask,
  view: RunView,
  offered: readonly UpdateMessage[],
  chance: Chance,
): UpdateMessage[] {
  const now = new Set(task.messages?.map(({ protocolInstanceId }) => protocolInstanceId));
  const forgotten = offered.filter(
    ({ protocolInstanceId: id }) => !now.has(id) && !view.accepted.has(id ?? ''),
  );
  if (forgotten.length === 0 || chance.next() >= 0.3) return [];
  const message = chance.pick(forgotten);
  const updateId = message.protocolInstanceId ?? '';
  return [acceptance(updateId, undefined, requestIn(message)), response(updateId, updateId)];
}
