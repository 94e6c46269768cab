import { validateSignalWithStart } from '../../core/start-request.ts';
import { ServiceError } from '../../service/service-error.ts';
import { typedAttributes } from '../search-attributes.ts';
import { startRules } from '../starts.ts';
import type { Verb } from '../verb.ts';

/** SG-3. */
export const signalWithStartWorkflowExecution: Verb<'signalWithStartWorkflowExecution'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.getFor(request.namespace, request.searchAttributes);
  const refusal = validateSignalWithStart(request, startRules(context, namespace));
  if (refusal) throw new ServiceError(refusal);
  const { signalName, signalInput, control: _control, ...start } = request;
  const requestId = request.requestId || context.random.uuid();
  const outcome = await context.starts.signalWithStart(
    {
      kind: 'start',
      namespaceId: namespace.namespaceId,
      namespace: namespace.name,
      runId: context.random.uuid(),
      request: {
        ...start,
        requestId,
        searchAttributes: typedAttributes(
          start.searchAttributes ?? null,
          namespace.config.searchAttributes,
        ),
      },
    },
    {
      signalName: signalName ?? '',
      input: signalInput ?? null,
      identity: request.identity ?? '',
      requestId,
      header: request.header ?? null,
      links: request.links ?? [],
    },
  );
  return { runId: outcome.runId, started: outcome.started };
};
