import { ServiceError } from '../../service/service-error.ts';
import type { Verb } from '../verb.ts';

const decoder = new TextDecoder();

export const respondQueryTaskCompleted: Verb<'respondQueryTaskCompleted'> = async (
  context,
  request,
) => {
  await context.namespaces.get(request.namespace);
  const queryId = decoder.decode(request.taskToken ?? new Uint8Array()).slice('query:'.length);
  if (!context.remoteQueries.answered(queryId, request)) {
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: 'query task not found, or already expired',
      detail: { kind: 'notFound' },
    });
  }
  return {};
};
