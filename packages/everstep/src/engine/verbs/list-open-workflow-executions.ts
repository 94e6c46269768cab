import { cutPageSize, listRuns } from '../listed-runs.ts';
import { ofOne, openRuns, timeWithin } from '../run-filter.ts';
import type { Verb } from '../verb.ts';

/** Those started within the time, newest first. */
export const listOpenWorkflowExecutions: Verb<'listOpenWorkflowExecutions'> = async (
  context,
  request,
) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const terms = [
    openRuns(),
    ...timeWithin('startTime', request.startTimeFilter),
    ...ofOne(request),
  ];
  return listRuns(context, {
    namespaceId,
    filter: { op: 'and', terms },
    pageSize: cutPageSize(context, request.maximumPageSize),
    pageToken: request.nextPageToken,
  });
};
