/**
 * The speculative workflow task: one that is only there for an update (WT-36 … WT-39).
 *
 *   scheduled → started → dropped, and leaves nothing, when the worker only rejects
 *
 * It stands in the run's state like any other, so it outlives the process; only its events wait. The first event that
 * is added writes them before itself, and so does whatever else changes the run: it is a normal task then (draft.ts).
 */
import type { Draft } from './draft.ts';
import type { InputKind, InputOf } from './input.ts';
import type { WorkflowTaskInfo } from './state.ts';
import { workerMessage } from './update-message.ts';

/** What changes a run and leaves its speculative task as it is. */
export const keepsSpeculative: ReadonlySet<InputKind> = new Set([
  'admitUpdate',
  'startWorkflowTask',
  'completeWorkflowTask',
  'clearStickiness',
]);

/**
 * WT-38. Events that its worker has been shown would be shown again by the next task. Only a worker that says it takes
 * that may have been shown some, and not many, for they would come again with every update that is rejected.
 */
export function isDropped(
  { state, env }: Draft,
  task: WorkflowTaskInfo,
  { commands, request }: InputOf<'completeWorkflowTask'>,
): boolean {
  if (task.kind !== 'speculative' || commands.length > 0) return false;
  if (request.forceCreateNewWorkflowTask === true) return false;
  const again = request.capabilities?.discardSpeculativeWorkflowTaskWithEvents === true;
  // The last completed task's Started is followed by its Completed.
  const shown = state.nextEventId - (state.lastCompletedStartedEventId + 2);
  if (shown > (again ? env.limits.shownAgainEventsMax : 0)) return false;
  return (request.messages ?? []).every((message) => workerMessage(message)?.kind === 'rejection');
}

/** The next task may have the same ids, so the stamp must tell its token and its row apart. */
export function dropSpeculativeTask(draft: Draft): void {
  draft.state.workflowTask = undefined;
  draft.state.workflowTaskStamp += 1;
  draft.touch();
}
