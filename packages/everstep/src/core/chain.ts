/**
 * What may follow a run: a retry (CN-2) or the next cron tick (CN-3), and how the next run of a chain is made.
 * It is created in the same commit as the close (CN-1), so that a chain never breaks.
 */
import { cronBackoffMs } from './cron.ts';
import type { Draft } from './draft.ts';
import type { StartRequest } from './input.ts';
import { ContinueAsNewInitiator, RetryState } from './proto.ts';
import type { Failure, Payloads } from './proto.ts';
import { nextBackoff } from './retry.ts';
import { startRun } from './start.ts';
import type { RunState } from './state.ts';
import { durationOf } from './time.ts';

export interface NextRun {
  readonly runId: string;
  readonly request: StartRequest;
  readonly initiator: ContinueAsNewInitiator;
  readonly backoffMs: number;
  readonly attempt: number;
  readonly continuedFailure?: Failure | undefined;
  readonly lastCompletionResult?: Payloads | undefined;
}

/** What the close event says of a retry, and the run that follows, if one does. */
export interface Succession {
  readonly retryState: RetryState;
  readonly next?: NextRun;
}

/** After a failure or a run timeout: a retry, else the next tick. */
export function afterFailure(draft: Draft, failure: Failure): Succession {
  const { state, now } = draft;
  let retryState = RetryState.RETRY_STATE_RETRY_POLICY_NOT_SET;
  if (state.retryPolicy && state.startAttributes) {
    const answer = nextBackoff({
      policy: state.retryPolicy,
      attempt: state.attempt,
      now,
      expirationTime: state.executionExpirationTime,
      failure,
      delayCapped: true,
    });
    if ('retryInMs' in answer) {
      return {
        retryState: RetryState.RETRY_STATE_IN_PROGRESS,
        next: {
          runId: draft.env.random.uuid(),
          request: sameRequest(state),
          initiator: ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_RETRY,
          backoffMs: answer.retryInMs,
          attempt: state.attempt + 1,
          continuedFailure: failure,
          lastCompletionResult: state.lastCompletionResult,
        },
      };
    }
    retryState = answer.retryState;
  }
  const next = nextTick(draft, failure, state.lastCompletionResult);
  return next ? { retryState, next } : { retryState };
}

/** CN-3. A failure is told to the next run; only a success replaces the result it is given. */
export function nextTick(
  draft: Draft,
  failure: Failure | undefined,
  result: Payloads | undefined,
): NextRun | undefined {
  const { state, now } = draft;
  if (!state.startAttributes) return undefined;
  const backoffMs = cronBackoffMs(state.cronSchedule, state.executionTime, now);
  if (backoffMs === undefined) return undefined;
  if (state.executionExpirationTime > 0 && now + backoffMs > state.executionExpirationTime)
    return undefined;
  return {
    runId: draft.env.random.uuid(),
    request: sameRequest(state),
    initiator: ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE,
    backoffMs,
    attempt: 1,
    continuedFailure: failure,
    lastCompletionResult: result,
  };
}

/** A retry and a tick start as this run was started: memo and attributes too, whatever it made of them. */
function sameRequest(state: RunState): StartRequest {
  const started = state.startAttributes ?? {};
  return {
    workflowId: state.workflowId,
    workflowType: { name: state.workflowType },
    taskQueue: { name: state.taskQueue },
    input: started.input ?? null,
    header: started.header ?? null,
    workflowExecutionTimeout: durationOf(state.executionTimeoutMs),
    workflowRunTimeout: started.workflowRunTimeout ?? null,
    workflowTaskTimeout: durationOf(state.workflowTaskTimeoutMs),
    retryPolicy: started.retryPolicy ?? null,
    cronSchedule: state.cronSchedule,
    memo: started.memo ?? null,
    searchAttributes: started.searchAttributes ?? null,
    priority: started.priority ?? null,
    completionCallbacks: started.completionCallbacks ?? null,
  };
}

/** Puts the next run into the draft's commit. */
export function startNextRun(draft: Draft, next: NextRun): void {
  const { state, env } = draft;
  draft.nextRun = startRun(
    {
      kind: 'start',
      namespaceId: state.namespaceId,
      namespace: state.namespace,
      runId: next.runId,
      request: { ...next.request, requestId: env.random.uuid() },
      chain: {
        firstRunId: state.firstRunId,
        continuedRunId: state.runId,
        initiator: next.initiator,
        attempt: next.attempt,
        executionExpirationTime: state.executionExpirationTime,
        firstTaskBackoffMs: next.backoffMs,
        ...(next.continuedFailure && { continuedFailure: next.continuedFailure }),
        ...(next.lastCompletionResult && { lastCompletionResult: next.lastCompletionResult }),
        resetPoints: state.resetPoints,
      },
      ...(state.parent && { parent: state.parent, root: state.root }),
      ...(state.scheduledBy && { scheduledBy: state.scheduledBy }),
    },
    env,
  );
}
