import type { OperatorVerb } from '../verb.ts';
import { clusterName } from '../version.ts';

/** This one: an engine is never one of several. */
export const listClusters: OperatorVerb<'listClusters'> = (context) =>
  Promise.resolve({
    clusters: [
      {
        clusterName,
        clusterId: context.processId,
        historyShardCount: 1,
        isConnectionEnabled: true,
      },
    ],
  });
