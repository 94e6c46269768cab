import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import type { Limits } from '../core/limits.ts';
import { durationOf, longOf } from '../core/time.ts';
import type { Namespace } from './namespaces.ts';
import { clusterName } from './version.ts';

const { ArchivalState, NamespaceState, ReplicationState } = proto.temporal.api.enums.v1;
const noArchival = ArchivalState.ARCHIVAL_STATE_DISABLED;

/** Only capabilities that are built: SDKs switch behaviour on these. */
export function describedNamespace(
  namespace: Namespace,
  limits: Limits,
): temporal.api.workflowservice.v1.IDescribeNamespaceResponse {
  return {
    namespaceInfo: {
      name: namespace.name,
      id: namespace.namespaceId,
      state: NamespaceState.NAMESPACE_STATE_REGISTERED,
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
    config: {
      workflowExecutionRetentionTtl: durationOf(namespace.config.retentionMs),
      historyArchivalState: noArchival,
      visibilityArchivalState: noArchival,
    },
    replicationConfig: {
      activeClusterName: clusterName,
      clusters: [{ clusterName }],
      state: ReplicationState.REPLICATION_STATE_NORMAL,
    },
    isGlobalNamespace: false,
  };
}
