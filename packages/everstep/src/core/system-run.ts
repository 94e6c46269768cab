/** Runs that are no workflows but keep their state as one, as Temporal's own system workflows do: schedules, batches. */
import { Draft } from './draft.ts';
import type { CoreEnv } from './draft.ts';
import { emptyRun } from './start.ts';

export interface SystemRun {
  readonly namespaceId: string;
  readonly namespace: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly createRequestId: string;
  /** Temporal's name for what it runs as. */
  readonly workflowType: string;
}

/** A draft of such a run, which is running and has no events. */
export function systemRunDraft(run: SystemRun, env: CoreEnv): Draft {
  const { workflowId, runId } = run;
  const draft = new Draft(emptyRun(run), env);
  const { state } = draft;
  state.workflowId = workflowId;
  state.root = { workflowId, runId };
  state.workflowType = run.workflowType;
  state.status = 'running';
  state.startTime = env.now;
  state.executionTime = env.now;
  return draft;
}
