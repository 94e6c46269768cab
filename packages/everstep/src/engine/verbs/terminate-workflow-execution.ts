import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';
import { sameChain } from './same-chain.ts';

/** TR-1. */
export const terminateWorkflowExecution: Verb<'terminateWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  await submitToNamed<'terminate'>(
    context,
    namespace.namespaceId,
    request.workflowExecution,
    {
      kind: 'terminate',
      reason: request.reason ?? '',
      details: request.details ?? null,
      identity: request.identity ?? '',
      links: request.links ?? [],
    },
    (run) => {
      sameChain(run, request.firstExecutionRunId);
    },
  );
  return {};
};
