import { signalProblem } from '../signal-request.ts';
import type { Verb } from '../verb.ts';
import { invalid, runOf } from './request-run.ts';

/** SG-1, SG-2. */
export const signalWorkflowExecution: Verb<'signalWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const problem = signalProblem(request, context.coreLimits);
  if (problem) throw invalid(problem);
  const run = await runOf(context, namespace.namespaceId, request.workflowExecution);
  await context.executor.submitTo(run, {
    kind: 'signal',
    signalName: request.signalName ?? '',
    input: request.input ?? null,
    identity: request.identity ?? '',
    requestId: request.requestId ?? '',
    header: request.header ?? null,
    links: request.links ?? [],
  });
  return {};
};
