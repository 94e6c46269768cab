import { validateStart } from '../../core/start-request.ts';
import { ServiceError } from '../../service/service-error.ts';
import { statusToWire } from '../run-info.ts';
import type { Verb } from '../verb.ts';

/** ID-1 … ID-3. */
export const startWorkflowExecution: Verb<'startWorkflowExecution'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const refusal = validateStart(request, { now: context.clock.now(), limits: context.coreLimits });
  if (refusal) throw new ServiceError(refusal);
  const outcome = await context.starts.start({
    kind: 'start',
    namespaceId: namespace.namespaceId,
    namespace: namespace.name,
    runId: context.random.uuid(),
    request: request.requestId ? request : { ...request, requestId: context.random.uuid() },
  });
  const status = outcome.run?.latest?.status ?? 'running';
  return { runId: outcome.runId, started: outcome.started, status: statusToWire[status] };
};
