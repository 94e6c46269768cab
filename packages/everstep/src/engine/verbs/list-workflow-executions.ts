import { encodeListPage, decodeListPage } from '../page-token.ts';
import { runInfoOf } from '../run-info.ts';
import type { Verb } from '../verb.ts';
import { parseVisibilityQuery } from '../visibility-query.ts';
import { invalid } from './request-run.ts';

/** Newest first. VS-3: pages of at most 1,000. */
export const listWorkflowExecutions: Verb<'listWorkflowExecutions'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const pageMax = context.limits.listPageMax;
  const pageSize = request.pageSize || pageMax;
  if (pageSize < 0 || pageSize > pageMax) {
    throw invalid(`Pagesize is larger than allowed ${pageMax}.`);
  }
  const { filter, groupBy } = parseVisibilityQuery(
    request.query ?? '',
    namespace.config.searchAttributes,
  );
  if (groupBy) throw invalid('GROUP BY clause is only supported in count queries.');
  const after = decodeListPage(request.nextPageToken);
  const rows = await context.store.visibility.list({
    namespaceId: namespace.namespaceId,
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
};
