/** Waiting for an update to be accepted or answered (UP-1, UP-4, UP-6), from the run's committed state alone. */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { isOpen } from '../core/state.ts';
import type { RunState } from '../core/state.ts';
import type { UpdateOutcome } from '../core/proto.ts';
import { ServiceError } from '../service/service-error.ts';
import type { CallContext } from '../service/workflow-service.ts';
import type { EngineContext } from './context.ts';
import type { LiveRun } from './unit.ts';
import { freshRunOf } from './verbs/request-run.ts';
import { waitFor } from './verbs/wait.ts';

const { UpdateWorkflowExecutionLifecycleStage: Stage } = proto.temporal.api.enums.v1;
export type UpdateStage = temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage;

export const updateStages = {
  admitted: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED,
  accepted: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED,
  completed: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
} as const;

export interface UpdateProgress {
  readonly run: LiveRun;
  readonly stage: UpdateStage;
  readonly outcome?: UpdateOutcome;
}

/** The stage it is at now; undefined when the run does not know it, or closed before it was accepted. */
export async function updateProgress(
  context: EngineContext,
  run: LiveRun,
  updateId: string,
): Promise<UpdateProgress | undefined> {
  const state = run.state as RunState;
  const { completed, accepted, admitted } = updateStages;
  const completedEventId = state.completedUpdates.get(updateId);
  if (completedEventId !== undefined) {
    const event = await context.history.event(run, completedEventId);
    const outcome = event?.workflowExecutionUpdateCompletedEventAttributes?.outcome ?? {};
    return { run, stage: completed, outcome };
  }
  const update = state.updates.get(updateId);
  if (!update) return undefined;
  switch (update.stage) {
    case 'rejected':
      return { run, stage: completed, outcome: { failure: update.failure ?? {} } };
    case 'accepted':
      return isOpen(state)
        ? { run, stage: accepted }
        : { run, stage: completed, outcome: { failure: closedFirst } };
    case 'admitted':
    case 'sent':
      return isOpen(state) ? { run, stage: admitted } : undefined;
  }
}

/** UP-6. */
const closedFirst = {
  message: 'Workflow Update failed because the Workflow completed before the Update completed.',
  source: 'Server',
  applicationFailureInfo: { type: 'AcceptedUpdateCompletedWorkflow', nonRetryable: true },
};

/**
 * UP-4: until that stage, or the highest reached when the time is over. Undefined as in updateProgress.
 *
 * A caller with a nearer deadline is told that it has passed: clients ask again at once when they are answered with a
 * lower stage, so an answer just before the deadline would only make them ask and ask until it is there.
 *
 * @throws ServiceError DEADLINE_EXCEEDED.
 */
export async function awaitUpdate(
  context: EngineContext,
  first: LiveRun,
  updateId: string,
  stage: UpdateStage,
  call: CallContext | undefined,
): Promise<UpdateProgress | undefined> {
  const { namespaceId, workflowId, runId } = first.key;
  const fresh = (): Promise<LiveRun> => freshRunOf(context, namespaceId, { workflowId, runId });
  const wait = waitFor(context, call, context.limits.historyLongPollMs, 0);
  try {
    let run = await fresh();
    for (;;) {
      const progress = await updateProgress(context, run, updateId);
      if (!progress || progress.stage >= stage) return progress;
      const refusal = context.waiters.refusal();
      if (refusal) throw refusal;
      if (wait.late()) throw deadlineExceeded(updateId, run.key.workflowId);
      if (wait.signal.aborted || run.ref === undefined) return progress;
      await context.waiters.wait(run, run.ref, wait.signal);
      run = await fresh();
    }
  } finally {
    wait.end();
  }
}

function deadlineExceeded(updateId: string, workflowId: string): ServiceError {
  return new ServiceError({
    code: 'DEADLINE_EXCEEDED',
    message: `The deadline has passed before update ${updateId} of workflow ${workflowId} reached the stage that was waited for: ask for its outcome again.`,
  });
}

/** COMPLETED when nothing is said. A wait for less than ACCEPTED is refused (UP-4). */
export function wantedStage(stage: UpdateStage | null | undefined): UpdateStage {
  if (!stage) return updateStages.completed;
  if (stage === updateStages.admitted) {
    throw new ServiceError({
      code: 'PERMISSION_DENIED',
      message:
        'UpdateWorkflowExecution with wait for ADMITTED is not built: wait for ACCEPTED or COMPLETED.',
      detail: { kind: 'permissionDenied', reason: '' },
    });
  }
  return stage;
}
