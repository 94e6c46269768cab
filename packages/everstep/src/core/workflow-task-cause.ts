/** How Temporal spells the cause of a failed workflow task in messages: `UnhandledCommand`, `BadBinary`, … */
import { WorkflowTaskFailedCause } from './proto.ts';

const prefix = 'WORKFLOW_TASK_FAILED_CAUSE_';

export function causeName(cause: WorkflowTaskFailedCause): string {
  const name: string | undefined = WorkflowTaskFailedCause[cause];
  return (name ?? '')
    .slice(prefix.length)
    .toLowerCase()
    .replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
