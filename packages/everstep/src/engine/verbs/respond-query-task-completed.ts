import { ServiceError } from '../../service/service-error.ts';
import type { Verb } from '../verb.ts';

const decoder = new TextDecoder();

export const respondQueryTaskCompleted: Verb<'respondQueryTaskCompleted'> = async (
  context,
  request,
) => {
  await context.namespaces.get(request.namespace);
  // What was not on the wire is an empty list, which a decoder does not take.
  const token = request.taskToken?.length ? request.taskToken : undefined;
  if (!token) {
    throw new ServiceError({
      code: 'INVALID_ARGUMENT',
      message: 'Task token not set on request.',
    });
  }
  const queryId = decoder.decode(token).slice('query:'.length);
  if (!context.remoteQueries.answered(queryId, request)) {
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: 'query task not found, or already expired',
      detail: { kind: 'notFound' },
    });
  }
  return {};
};
