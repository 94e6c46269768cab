import type { Verb } from '../verb.ts';
import { runOf } from './request-run.ts';
import { sameChain } from './same-chain.ts';

/** SG-5. */
export const requestCancelWorkflowExecution: Verb<'requestCancelWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const run = await runOf(context, namespace.namespaceId, request.workflowExecution);
  sameChain(run, request.firstExecutionRunId);
  await context.executor.submitTo(run, {
    kind: 'requestCancel',
    requestId: request.requestId ?? '',
    identity: request.identity ?? '',
    reason: request.reason ?? '',
    links: request.links ?? [],
  });
  return {};
};
