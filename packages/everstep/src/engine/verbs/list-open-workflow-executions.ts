import { listWithin } from '../listed-runs.ts';
import { openRuns } from '../run-filter.ts';
import type { Verb } from '../verb.ts';

/** Those started within the time, newest first. */
export const listOpenWorkflowExecutions: Verb<'listOpenWorkflowExecutions'> = (context, request) =>
  listWithin(context, request, openRuns, 'startTime');
