import { ServiceError } from '../../service/service-error.ts';
import { describedNamespace } from '../namespace-info.ts';
import type { Verb } from '../verb.ts';

export const describeNamespace: Verb<'describeNamespace'> = async (context, request) => {
  if (!request.id)
    return describedNamespace(await context.namespaces.get(request.namespace), context.coreLimits);
  await context.namespaces.load();
  const namespace = context.namespaces.byId(request.id);
  if (!namespace) {
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: `Namespace ${request.id} is not found.`,
      detail: { kind: 'namespaceNotFound', namespace: request.id },
    });
  }
  return describedNamespace(namespace, context.coreLimits);
};
