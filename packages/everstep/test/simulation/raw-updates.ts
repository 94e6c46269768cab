/** What a scripted worker says to updates: yes with the answer or without, no, or nothing (WT-25). */
import type { UpdateMessage } from '../../src/core/proto.ts';
import type { WorkflowTask } from '../../src/service/local-worker.ts';
import type { Chance } from '../chance.ts';
import { acceptance, rejection, response } from '../update-messages.ts';
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
