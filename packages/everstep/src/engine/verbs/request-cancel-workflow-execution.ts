import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';
import { sameChain } from './same-chain.ts';

/** SG-5. */
export const requestCancelWorkflowExecution: Verb<'requestCancelWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  await submitToNamed<'requestCancel'>(
    context,
    namespace.namespaceId,
    request.workflowExecution,
    {
      kind: 'requestCancel',
      requestId: request.requestId ?? '',
      identity: request.identity ?? '',
      reason: request.reason ?? '',
      links: request.links ?? [],
    },
    (run) => {
      sameChain(run, request.firstExecutionRunId);
    },
  );
  return {};
};
