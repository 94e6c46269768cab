import { ServiceError } from '../../service/service-error.ts';
import { batchesNamespaceId } from '../batches.ts';
import { schedulesNamespaceId } from '../schedules.ts';
import type { OperatorVerb } from '../verb.ts';
import { invalid } from './request-run.ts';

const runsAtOnce = 500;

/** The namespace with its schedules, batch operations and all of its runs, open ones too: nothing of it can be called any more. */
export const deleteNamespace: OperatorVerb<'deleteNamespace'> = async (context, request) => {
  const { namespaces, store } = context;
  await namespaces.load();
  const { namespaceId } = request;
  if (namespaceId && request.namespace) {
    throw invalid('Only one of namespace name or Id should be set on request.');
  }
  const namespace = namespaceId
    ? namespaces.byId(namespaceId)
    : await namespaces.get(request.namespace);
  if (!namespace) {
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: `Namespace ${namespaceId} is not found.`,
      detail: { kind: 'namespaceNotFound', namespace: namespaceId ?? '' },
    });
  }
  await namespaces.delete(namespace);
  const ids = [
    batchesNamespaceId(namespace.namespaceId),
    schedulesNamespaceId(namespace.namespaceId),
    namespace.namespaceId,
  ];
  for (const id of ids) {
    for (;;) {
      const runs = await store.visibility.list({ namespaceId: id, limit: runsAtOnce });
      if (runs.length === 0) break;
      await store.runs.delete({ refs: runs.map(({ ref }) => ref) });
    }
  }
  return { deletedNamespace: namespace.name };
};
