import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { isOpen } from '../../core/state.ts';
import type { RunState } from '../../core/state.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { CallContext } from '../../service/workflow-service.ts';
import type { EngineContext } from '../context.ts';
import { closedTooEarly, dispatchQuery } from '../direct-query.ts';
import type { LiveRun } from '../unit.ts';
import { statusToWire } from '../run-info.ts';
import type { Verb } from '../verb.ts';
import { freshRunOf, invalid } from './request-run.ts';
import { waitFor } from './wait.ts';

const { QueryRejectCondition, WorkflowExecutionStatus } = proto.temporal.api.enums.v1;
type Response = temporal.api.workflowservice.v1.IQueryWorkflowResponse;

/** QY-1 … QY-5. */
export const queryWorkflow: Verb<'queryWorkflow'> = async (context, request, call) => {
  const namespace = await context.namespaces.get(request.namespace);
  const query = request.query;
  if (!query?.queryType) throw invalid('QueryType is not set on request.');
  const run = await freshRunOf(context, namespace.namespaceId, request.execution);
  const state = run.state as RunState;
  if (state.pause && isOpen(state)) return { queryRejected: { status: statusToWire.paused } };
  const rejected = rejection(state, request.queryRejectCondition ?? 0);
  if (rejected !== undefined) return { queryRejected: { status: rejected } };
  assertReady(context, state);
  assertTaskInTime(context, state, call);
  const wait = waitFor(context, call, Infinity);
  try {
    const completedOnce = state.lastCompletedStartedEventId > 0;
    const direct = completedOnce && (!isOpen(state) || !state.workflowTask);
    return direct
      ? await dispatchQuery(context, run, query, wait.signal)
      : await attached(context, run, query, wait.signal);
  } finally {
    wait.end();
  }
};

/** QY-4. */
async function attached(
  context: EngineContext,
  run: LiveRun,
  query: temporal.api.query.v1.IWorkflowQuery,
  signal: AbortSignal,
): Promise<Response> {
  const waiting = context.queries.wait(run.key.runId, query, signal);
  try {
    return await Promise.race([waiting.answer, expired(signal)]);
  } finally {
    waiting.forget();
  }
}

function expired(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => {
      reject(
        new ServiceError({
          code: 'DEADLINE_EXCEEDED',
          message: 'query timed out: no worker answered in time',
        }),
      );
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

function rejection(state: RunState, condition: number): number | undefined {
  if (isOpen(state)) return undefined;
  const status = statusToWire[state.status];
  if (condition === QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN) return status;
  if (
    condition === QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY &&
    status !== WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED
  ) {
    return status;
  }
  return undefined;
}

/** QY-2. */
function assertReady(context: EngineContext, state: RunState): void {
  const failing = (state.workflowTask?.attempt ?? 1) >= context.limits.queryTaskFailuresMax;
  if (!isOpen(state) && state.lastCompletedStartedEventId === 0) {
    throw closedTooEarly();
  }
  if (failing) throw notReady('Unable to query workflow due to Workflow Task in failed state.');
}

/** A first workflow task that is still held back must come before the caller gives up (QY-2). */
function assertTaskInTime(
  context: EngineContext,
  state: RunState,
  call: CallContext | undefined,
): void {
  if (state.status !== 'created' || state.waitsForParent) return;
  if (state.executionTime <= (call?.deadline ?? context.clock.now())) return;
  throw notReady('Workflow task is not scheduled yet.');
}

function notReady(message: string): ServiceError {
  return new ServiceError({
    code: 'FAILED_PRECONDITION',
    message,
    detail: { kind: 'workflowNotReady' },
  });
}
