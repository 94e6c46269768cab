import { signalProblem } from '../signal-request.ts';
import type { Verb } from '../verb.ts';
import { invalid, submitToNamed } from './request-run.ts';

/** SG-1, SG-2. */
export const signalWorkflowExecution: Verb<'signalWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const problem = signalProblem(request, context.coreLimits);
  if (problem) throw invalid(problem);
  await submitToNamed<'signal'>(context, namespace.namespaceId, request.workflowExecution, {
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
