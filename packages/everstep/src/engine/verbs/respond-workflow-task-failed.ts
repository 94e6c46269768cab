import { decodeTaskToken } from '../task-token.ts';
import type { Verb } from '../verb.ts';

/** WT-28. */
export const respondWorkflowTaskFailed: Verb<'respondWorkflowTaskFailed'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const { key, token } = decodeTaskToken('workflow', request.taskToken, namespace.namespaceId);
  await context.executor.submit(key, {
    kind: 'failWorkflowTask',
    token,
    cause: request.cause ?? 0,
    failure: request.failure ?? null,
    identity: request.identity ?? '',
  });
  context.queries.detach(key.runId);
  return {};
};
