import { listRuns } from '../listed-runs.ts';
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
  const { namespaceId } = namespace;
  return listRuns(context, { namespaceId, filter, pageSize, pageToken: request.nextPageToken });
};
