import type { temporal } from '@temporalio/proto';
import type { UpdateRequest } from '../../core/proto.ts';
import type { RunState } from '../../core/state.ts';
import { updateProblem } from '../../core/update-admission.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { CallContext } from '../../service/workflow-service.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import { awaitUpdate, wantedStage } from '../update-wait.ts';
import type { UpdateProgress, UpdateStage } from '../update-wait.ts';
import type { Verb } from '../verb.ts';
import { invalid, runOf } from './request-run.ts';

type Response = temporal.api.workflowservice.v1.IUpdateWorkflowExecutionResponse;

/** UP-1 … UP-6. Without a run id the update is for whatever run of the chain is current. */
export const updateWorkflowExecution: Verb<'updateWorkflowExecution'> = async (
  context,
  request,
  call,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const stage = wantedStage(request.waitPolicy?.lifecycleStage);
  const update = checkedUpdate(context, request.request);
  const execution = request.workflowExecution;
  const check = (run: LiveRun): void => {
    assertFirstRun(run, request.firstExecutionRunId);
  };
  for (;;) {
    const run = await runOf(context, namespace.namespaceId, execution);
    check(run);
    const admitted = await admit(context, run, update, !execution?.runId);
    const progress = await awaitUpdate(context, admitted, update.meta?.updateId ?? '', stage, call);
    if (progress) return updateResponse(progress, update);
    const chain = admitted.latest?.newRunId !== undefined && !execution?.runId;
    if (!chain) throw closedUnanswered();
  }
};

/** With an id, made where none was given, and within the limits. */
export function checkedUpdate(
  context: EngineContext,
  request: UpdateRequest | null | undefined,
): UpdateRequest {
  if (!request) throw invalid('Request is not set on UpdateWorkflowExecutionRequest.');
  const updateId = request.meta?.updateId || context.random.uuid();
  const update = { ...request, meta: { identity: request.meta?.identity ?? '', updateId } };
  const problem = updateProblem(update, context.coreLimits);
  if (problem) throw invalid(problem);
  return update;
}

async function admit(
  context: EngineContext,
  run: LiveRun,
  request: UpdateRequest,
  chain: boolean,
): Promise<LiveRun> {
  const input = { kind: 'admitUpdate', request } as const;
  const { run: admitted } = chain
    ? await context.executor.submitToChain<'admitUpdate'>(run, input)
    : await context.executor.submitTo<'admitUpdate'>(run, input);
  return admitted;
}

function assertFirstRun(run: LiveRun, firstRunId: string | null | undefined): void {
  const state = run.latest as RunState | undefined;
  if (!firstRunId || !state || state.firstRunId === firstRunId) return;
  throw new ServiceError({
    code: 'NOT_FOUND',
    message: 'workflow execution not found',
    detail: { kind: 'notFound' },
  });
}

export function updateResponse(progress: UpdateProgress, update: UpdateRequest): Response {
  const { workflowId, runId } = progress.run.key;
  return {
    updateRef: {
      workflowExecution: { workflowId, runId },
      updateId: update.meta?.updateId ?? '',
    },
    stage: progress.stage,
    ...(progress.outcome && { outcome: progress.outcome }),
  };
}

/** UP-6: not accepted, and now it never will be. */
function closedUnanswered(): ServiceError {
  return new ServiceError({
    code: 'NOT_FOUND',
    message: 'workflow execution already completed',
    detail: { kind: 'notFound' },
  });
}

/** For update-with-start: waits for an update that a start has admitted or found. */
export async function answeredUpdate(
  context: EngineContext,
  run: LiveRun,
  update: UpdateRequest,
  stage: UpdateStage,
  call: CallContext | undefined,
): Promise<Response> {
  const progress = await awaitUpdate(context, run, update.meta?.updateId ?? '', stage, call);
  if (!progress) throw closedUnanswered();
  return updateResponse(progress, update);
}
