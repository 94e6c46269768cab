import type { Verb } from '../verb.ts';
import { serverVersion } from '../version.ts';

export const getClusterInfo: Verb<'getClusterInfo'> = (context) =>
  Promise.resolve({
    supportedClients: {},
    serverVersion,
    clusterId: context.processId,
    clusterName: 'everstep',
    historyShardCount: 1,
    persistenceStore: context.store.kind,
    visibilityStore: context.store.kind,
  });
