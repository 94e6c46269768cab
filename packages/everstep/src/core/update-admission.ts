/** Whether a run takes an update up (UP-2, UP-3, UP-5). Read first: update.ts. */
import { accepted, alreadyCompleted, refuse } from './answer.ts';
import type { Refused } from './answer.ts';
import type { Draft } from './draft.ts';
import { checkIdLength } from './id-length.ts';
import type { Answer, InputOf } from './input.ts';
import type { Limits } from './limits.ts';
import { blobSizeMessage, payloadsBytes } from './payload-size.ts';
import type { UpdateRequest } from './proto.ts';
import { closing } from './signal.ts';
import { isOpen } from './state.ts';
import type { RunState } from './state.ts';
import { addUpdate, isKnownUpdate } from './update.ts';
import { scheduleWorkflowTask } from './workflow-task.ts';

/** UP-2: an update that is known answers for itself, even on a closed run. */
export function admitUpdate(draft: Draft, input: InputOf<'admitUpdate'>): Answer<undefined> {
  const { state } = draft;
  const updateId = input.request.meta?.updateId ?? '';
  if (isKnownUpdate(state, updateId)) return accepted;
  if (!isOpen(state)) return alreadyCompleted();
  if (state.pause) {
    return refuse('FAILED_PRECONDITION', 'Workflow is paused. Cannot update the workflow.');
  }
  const refused = checkUpdate(state, draft.env.limits);
  if (refused) return refused;
  addUpdate(draft, input.request);
  // Unlike a signal it does not wait for a start delay to pass.
  scheduleWorkflowTask(draft, { beforeFirst: true, speculative: true });
  return accepted;
}

/** What is wrong with a request before any run is looked at: the problem in words. */
export function updateProblem(request: UpdateRequest, limits: Limits): string | undefined {
  if (!request.input?.name) return 'Update name (Input.Name) is not set on request.';
  return (
    checkIdLength('UpdateName', request.input.name, limits) ??
    checkIdLength('UpdateID', request.meta?.updateId ?? '', limits) ??
    checkIdLength('Identity', request.meta?.identity ?? '', limits) ??
    (payloadsBytes(request.input.args) > limits.payloadBytesMax ? blobSizeMessage : undefined)
  );
}

/** WT-17, UP-3, UP-5. */
function checkUpdate(state: RunState, limits: Limits): Refused | undefined {
  let inFlight = 0;
  for (const { stage } of state.updates.values()) if (stage !== 'rejected') inFlight += 1;
  if (inFlight >= limits.updatesInFlightMax) {
    return refuse(
      'RESOURCE_EXHAUSTED',
      `limit on number of concurrent in-flight updates has been reached (${limits.updatesInFlightMax})`,
      { kind: 'resourceExhausted', cause: 'concurrentLimit' },
    );
  }
  if (inFlight + state.completedUpdates.size >= limits.updatesMax) {
    return refuse(
      'FAILED_PRECONDITION',
      `The limit on the total number of distinct updates in this workflow has been reached (${limits.updatesMax}). Make sure any duplicate updates share an Update ID so the server can deduplicate them.`,
    );
  }
  if (state.workflowTaskAttempt >= limits.updateTaskFailuresMax) {
    return refuse(
      'FAILED_PRECONDITION',
      'Unable to perform workflow execution update due to Workflow Task in failed state.',
      { kind: 'workflowNotReady' },
    );
  }
  return closing(state);
}
