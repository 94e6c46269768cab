import type { temporal } from '@temporalio/proto';
import type { Limits } from '../core/limits.ts';
import { durationOf, longOf } from '../core/time.ts';
import type { Namespace } from './namespaces.ts';

/** NAMESPACE_STATE_REGISTERED. */
const registered = 1;

/** Only capabilities that are built: SDKs switch behaviour on these. */
export function describedNamespace(
  namespace: Namespace,
  limits: Limits,
): temporal.api.workflowservice.v1.IDescribeNamespaceResponse {
  return {
    namespaceInfo: {
      name: namespace.name,
      id: namespace.namespaceId,
      state: registered,
      description: namespace.config.description,
      ownerEmail: namespace.config.ownerEmail,
      data: { ...namespace.config.data },
      capabilities: {
        eagerWorkflowStart: true,
        syncUpdate: true,
        asyncUpdate: true,
        workerHeartbeats: true,
      },
      limits: {
        blobSizeLimitError: longOf(limits.payloadBytesMax),
        memoSizeLimitError: longOf(limits.memoBytesMax),
      },
      supportsSchedules: true,
    },
    config: { workflowExecutionRetentionTtl: durationOf(namespace.config.retentionMs) },
    replicationConfig: { activeClusterName: 'everstep', clusters: [{ clusterName: 'everstep' }] },
    isGlobalNamespace: false,
  };
}
