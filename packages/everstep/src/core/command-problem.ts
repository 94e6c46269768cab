/** Problems several commands share, in Temporal's words. */
import type { CommandProblem } from './command.ts';
import type { WorkflowTaskFailedCause } from './proto.ts';

/** A command that does not fit the state, such as an id in use. */
export function invalidAction(action: string, details: string): string {
  return `invalid history builder state for action: ${action}, ${details}`;
}

/** Section 14: too many pending items fail the task (WT-20). 0 = without limit. */
export function checkCount(
  what: string,
  count: number,
  max: number,
  cause: WorkflowTaskFailedCause,
): CommandProblem | undefined {
  if (max <= 0 || count < max) return undefined;
  return {
    cause,
    message: `the number of ${what}, ${count}, has reached the per-workflow limit of ${max}`,
  };
}
