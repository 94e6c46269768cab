import type { temporal } from '@temporalio/proto';
import type { EngineContext } from '../context.ts';
import { decodeKeyPage, encodeKeyPage } from '../page-token.ts';
import type { Verb } from '../verb.ts';
import { parseQuery } from '../visibility-query.ts';
import { workerField } from '../worker-registry.ts';
import type { WorkerHeartbeat } from '../worker-registry.ts';
import { invalid } from './request-run.ts';

/** By instance key. There are no workers of the system. */
export const listWorkers: Verb<'listWorkers'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const pageMax = context.limits.listPageMax;
  const pageSize = request.pageSize || pageMax;
  if (pageSize < 0 || pageSize > pageMax) {
    throw invalid(`Pagesize is larger than allowed ${pageMax}.`);
  }
  const after = decodeKeyPage(request.nextPageToken);
  const found = workersOf(context, namespaceId, request.query).filter(
    ({ workerInstanceKey }) => after === undefined || (workerInstanceKey ?? '') > after,
  );
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  return {
    workersInfo: page.map((workerHeartbeat) => ({ workerHeartbeat })),
    workers: page.map(listInfoOf),
    ...(last && found.length > page.length
      ? { nextPageToken: encodeKeyPage(last.workerInstanceKey ?? '') }
      : {}),
  };
};

export function workersOf(
  context: EngineContext,
  namespaceId: string,
  query: string | null | undefined,
): WorkerHeartbeat[] {
  const { filter, groupBy } = parseQuery(query ?? '', workerField);
  if (groupBy) throw invalid('GROUP BY says nothing about workers.');
  return context.workerRegistry.list(namespaceId, filter);
}

function listInfoOf(worker: WorkerHeartbeat): temporal.api.worker.v1.IWorkerListInfo {
  return {
    workerInstanceKey: worker.workerInstanceKey ?? '',
    workerIdentity: worker.workerIdentity ?? '',
    taskQueue: worker.taskQueue ?? '',
    deploymentVersion: worker.deploymentVersion ?? null,
    sdkName: worker.sdkName ?? '',
    sdkVersion: worker.sdkVersion ?? '',
    status: worker.status ?? 0,
    startTime: worker.startTime ?? null,
    hostName: worker.hostInfo?.hostName ?? '',
    workerGroupingKey: worker.hostInfo?.workerGroupingKey ?? '',
    processId: worker.hostInfo?.processId ?? '',
    plugins: worker.plugins ?? [],
    drivers: worker.drivers ?? [],
  };
}
