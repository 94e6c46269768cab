import { runNotFound } from '../executor.ts';
import type { LiveRun } from '../unit.ts';

/** A request that names the first run of a chain is meant for that chain only. */
export function sameChain(run: LiveRun, firstExecutionRunId: string | null | undefined): void {
  if (firstExecutionRunId && run.latest && run.latest.firstRunId !== firstExecutionRunId) {
    throw runNotFound({ workflowId: run.key.workflowId, runId: '' });
  }
}
