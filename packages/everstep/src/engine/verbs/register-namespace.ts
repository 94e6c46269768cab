import { msOfDuration } from '../../core/time.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

const dayMs = 86_400_000;

export const registerNamespace: Verb<'registerNamespace'> = async (context, request) => {
  const name = request.namespace ?? '';
  if (name === '') throw invalid('Namespace not set on request.');
  const retentionMs = msOfDuration(request.workflowExecutionRetentionPeriod);
  if (retentionMs !== 0) assertRetention(retentionMs);
  const registered = await context.namespaces.register(name, {
    description: request.description ?? '',
    ownerEmail: request.ownerEmail ?? '',
    data: request.data ?? {},
    retentionMs: retentionMs || dayMs,
  });
  if (!registered) {
    throw new ServiceError({
      code: 'ALREADY_EXISTS',
      message: 'Namespace already exists.',
      detail: { kind: 'namespaceAlreadyExists' },
    });
  }
  return {};
};

export function assertRetention(retentionMs: number): void {
  if (retentionMs < 3_600_000) throw invalid('A minimal retention period of 1 hour is required.');
}
