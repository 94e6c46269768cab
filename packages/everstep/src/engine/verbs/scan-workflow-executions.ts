import type { Verb } from '../verb.ts';
import { listWorkflowExecutions } from './list-workflow-executions.ts';

/** What came before lists in order were quick: the same answer. */
export const scanWorkflowExecutions: Verb<'scanWorkflowExecutions'> = (context, request, call) =>
  listWorkflowExecutions(context, request, call);
