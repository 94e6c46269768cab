import { listWithin } from '../listed-runs.ts';
import { closedRuns } from '../run-filter.ts';
import type { Verb } from '../verb.ts';

/** Those closed within the time, whatever the filter's name says, newest first. */
export const listClosedWorkflowExecutions: Verb<'listClosedWorkflowExecutions'> = (
  context,
  request,
) => listWithin(context, request, closedRuns, 'closeTime');
