import type { Verb } from '../verb.ts';
import { clusterName, serverVersion } from '../version.ts';

export const getClusterInfo: Verb<'getClusterInfo'> = (context) =>
  Promise.resolve({
    supportedClients: {},
    serverVersion,
    clusterId: context.processId,
    clusterName,
    historyShardCount: 1,
    persistenceStore: context.store.kind,
    visibilityStore: context.store.kind,
  });
