import type { Verb } from '../verb.ts';
import { pauseArgs, submitToNamed } from './request-run.ts';

/** PZ-1. */
export const unpauseWorkflowExecution: Verb<'unpauseWorkflowExecution'> = async (
  context,
  request,
) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  await submitToNamed<'unpauseRun'>(context, namespaceId, request, {
    kind: 'unpauseRun',
    ...pauseArgs(context, request),
  });
  return {};
};
