/** One page of runs that a filter lets through, newest first (VS-3). */
import type { temporal } from '@temporalio/proto';
import type { Filter } from '../store/store.ts';
import type { EngineContext } from './context.ts';
import { decodeListPage, encodeListPage } from './page-token.ts';
import { ofOne, timeWithin, type TimeColumn } from './run-filter.ts';
import { runInfoOf, type RunInfo } from './run-info.ts';

export interface ListedPage {
  executions: RunInfo[];
  nextPageToken?: Uint8Array;
}

type ListBeforeQueries =
  | temporal.api.workflowservice.v1.IListOpenWorkflowExecutionsRequest
  | temporal.api.workflowservice.v1.IListClosedWorkflowExecutionsRequest;

export async function listRuns(
  { store }: EngineContext,
  request: {
    readonly namespaceId: string;
    readonly filter: Filter | undefined;
    readonly pageSize: number;
    readonly pageToken: Uint8Array | null | undefined;
  },
): Promise<ListedPage> {
  const { namespaceId, filter, pageSize, pageToken } = request;
  const after = decodeListPage(pageToken);
  const rows = await store.visibility.list({
    namespaceId,
    limit: pageSize,
    ...(filter ? { filter } : {}),
    ...(after ? { after } : {}),
  });
  const last = rows.at(-1);
  return {
    executions: rows.map(runInfoOf),
    ...(last && rows.length === pageSize
      ? { nextPageToken: encodeListPage({ startTime: last.columns.startTime, ref: last.ref }) }
      : {}),
  };
}

/** The lists that came before queries: runs of one state, whose start or close is within a time. */
export async function listWithin(
  context: EngineContext,
  request: ListBeforeQueries,
  state: Filter,
  column: TimeColumn,
): Promise<ListedPage> {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const terms = [state, ...timeWithin(column, request.startTimeFilter), ...ofOne(request)];
  return listRuns(context, {
    namespaceId,
    filter: { op: 'and', terms },
    pageSize: cutPageSize(context, request.maximumPageSize),
    pageToken: request.nextPageToken,
  });
}

/** The lists that came before queries cut a page that is too large, and do not refuse it. */
function cutPageSize({ limits }: EngineContext, asked: number | null | undefined): number {
  return asked && asked > 0 ? Math.min(asked, limits.listPageMax) : limits.listPageMax;
}
