import { ServiceError } from '../../service/service-error.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

export const describeWorker: Verb<'describeWorker'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const workerInstanceKey = request.workerInstanceKey ?? '';
  if (workerInstanceKey === '') throw invalid('WorkerInstanceKey is not set on request.');
  const workerHeartbeat = context.workerRegistry.get(namespaceId, workerInstanceKey);
  if (!workerHeartbeat) {
    throw new ServiceError({
      code: 'NOT_FOUND',
      message: `Worker ${workerInstanceKey} not found`,
      detail: { kind: 'notFound' },
    });
  }
  return { workerInfo: { workerHeartbeat } };
};
