import { msOfDuration } from '../../core/time.ts';
import { describedNamespace } from '../namespace-info.ts';
import type { Verb } from '../verb.ts';
import { assertRetention } from './register-namespace.ts';

/** What the request leaves out stays as it is; data is merged. */
export const updateNamespace: Verb<'updateNamespace'> = async (context, request) => {
  const { updateInfo, config: settings } = request;
  const ttl = settings?.workflowExecutionRetentionTtl;
  const retentionMs = ttl ? msOfDuration(ttl) : undefined;
  if (retentionMs !== undefined) assertRetention(retentionMs);
  const namespace = await context.namespaces.update(request.namespace, (config) => ({
    ...config,
    description: updateInfo?.description || config.description,
    ownerEmail: updateInfo?.ownerEmail || config.ownerEmail,
    data: { ...config.data, ...updateInfo?.data },
    retentionMs: retentionMs ?? config.retentionMs,
  }));
  return describedNamespace(namespace, context.coreLimits);
};
