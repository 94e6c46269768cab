import type { Verb } from '../verb.ts';
import { runOf } from './request-run.ts';
import { sameChain } from './same-chain.ts';

/** TR-1. */
export const terminateWorkflowExecution: Verb<'terminateWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const run = await runOf(context, namespace.namespaceId, request.workflowExecution);
  sameChain(run, request.firstExecutionRunId);
  await context.executor.submitTo(run, {
    kind: 'terminate',
    reason: request.reason ?? '',
    details: request.details ?? null,
    identity: request.identity ?? '',
    links: request.links ?? [],
  });
  return {};
};
