/** One page of runs that a filter lets through, newest first (VS-3). */
import type { Filter } from '../store/store.ts';
import type { EngineContext } from './context.ts';
import { decodeListPage, encodeListPage } from './page-token.ts';
import { runInfoOf, type RunInfo } from './run-info.ts';

export interface ListedPage {
  executions: RunInfo[];
  nextPageToken?: Uint8Array;
}

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

/** The lists that came before queries cut a page that is too large, and do not refuse it. */
export function cutPageSize({ limits }: EngineContext, asked: number | null | undefined): number {
  return asked && asked > 0 ? Math.min(asked, limits.listPageMax) : limits.listPageMax;
}
