import type { Verb } from '../verb.ts';
import { pauseArgs, submitToNamed } from './request-run.ts';

/** PZ-1. */
export const pauseWorkflowExecution: Verb<'pauseWorkflowExecution'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  await submitToNamed<'pauseRun'>(context, namespaceId, request, {
    kind: 'pauseRun',
    ...pauseArgs(context, request),
  });
  return {};
};
