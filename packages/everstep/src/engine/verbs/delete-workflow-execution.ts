import { isOpen } from '../../core/state.ts';
import { isServiceError } from '../../service/service-error.ts';
import { damagedRun } from '../quarantine.ts';
import type { LiveRun } from '../unit.ts';
import type { Verb } from '../verb.ts';
import { freshRunOf } from './request-run.ts';

/** DL-1: a running one is terminated first. */
export const deleteWorkflowExecution: Verb<'deleteWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  let run: LiveRun;
  try {
    run = await freshRunOf(context, namespace.namespaceId, request.workflowExecution);
  } catch (error) {
    const ref = damagedRun(error);
    if (ref === undefined) throw error;
    // What cannot be read cannot be terminated; that it is gone is what is left to do for it.
    await context.store.runs.delete({ refs: [ref] });
    return {};
  }
  if (run.state && isOpen(run.state)) {
    await context.executor
      .submitTo(run, {
        kind: 'terminate',
        reason: 'Delete workflow execution',
        identity: 'history-service',
      })
      .catch((error: unknown) => {
        if (!isServiceError(error, 'NOT_FOUND')) throw error;
      });
  }
  await context.emptyOutbox(run);
  if (run.ref !== undefined) await context.store.runs.delete({ refs: [run.ref] });
  context.executor.drop(run);
  return {};
};
