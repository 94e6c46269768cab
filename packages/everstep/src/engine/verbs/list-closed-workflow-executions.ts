import { cutPageSize, listRuns } from '../listed-runs.ts';
import { closedRuns, ofOne, timeWithin } from '../run-filter.ts';
import type { Verb } from '../verb.ts';

/** Those closed within the time, whatever the filter's name says, newest first. */
export const listClosedWorkflowExecutions: Verb<'listClosedWorkflowExecutions'> = async (
  context,
  request,
) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const terms = [
    closedRuns(),
    ...timeWithin('closeTime', request.startTimeFilter),
    ...ofOne(request),
  ];
  return listRuns(context, {
    namespaceId,
    filter: { op: 'and', terms },
    pageSize: cutPageSize(context, request.maximumPageSize),
    pageToken: request.nextPageToken,
  });
};
