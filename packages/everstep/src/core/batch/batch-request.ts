/** What is wrong with a request for a batch operation, before any run is looked at, and what it asks for. */
import { refuse } from '../answer.ts';
import type { Refused } from '../answer.ts';
import { checkIdLength } from '../id-length.ts';
import type { Limits } from '../limits.ts';
import { blobSizeMessage, payloadsBytes } from '../payload-size.ts';
import type { BatchOperation, BatchTarget, WireBatch } from './batch-state.ts';

export interface CheckedBatch {
  readonly ok: true;
  readonly operation: BatchOperation;
  readonly identity: string;
  readonly targets: readonly BatchTarget[];
}

interface BatchRules {
  readonly limits: Limits;
  readonly executionsMax: number;
}

const activityExecution = 2;

export function checkBatch(request: WireBatch, rules: BatchRules): CheckedBatch | Refused {
  const operation = operationOf(request);
  const selectors = [
    request.visibilityQuery,
    request.executions?.length,
    request.targetExecutions?.length,
  ].filter(Boolean).length;
  if (!operation || !request.reason || !request.namespace || selectors === 0) {
    return invalid('must provide required parameters: BatchType/Reason/Namespace/Query/Executions');
  }
  if (selectors > 1) {
    return invalid('only one of visibility_query, executions and target_executions may be set');
  }
  const jobId = request.jobId ?? '';
  if (jobId === '') return invalid('JobId is not set on request.');
  const problem =
    checkIdLength('JobId', jobId, rules.limits) ??
    checkIdLength('Reason', request.reason, rules.limits) ??
    ((request.maxOperationsPerSecond ?? 0) < 0
      ? 'max_operations_per_second is negative; expected 0 for the server’s own, or more'
      : undefined) ??
    operationProblem(request, rules.limits);
  if (problem !== undefined) return invalid(problem);
  const targets: BatchTarget[] = [];
  for (const { workflowId, runId } of request.executions ?? []) {
    targets.push({ workflowId: workflowId ?? '', runId: runId ?? '', attempts: 0 });
  }
  for (const { type, businessId, runId } of request.targetExecutions ?? []) {
    if (type === activityExecution) return unbuilt('activities that run by themselves');
    targets.push({ workflowId: businessId ?? '', runId: runId ?? '', attempts: 0 });
  }
  if (targets.some(({ workflowId }) => workflowId === '')) {
    return invalid('an execution without a workflow id is set on request');
  }
  if (targets.length > rules.executionsMax) {
    return invalid(
      `batch executions count exceeded: ${targets.length} are set on request, the limit is ${rules.executionsMax}`,
    );
  }
  if (request.resetOperation?.postResetOperations?.length) return unbuilt('post-reset operations');
  return { ok: true, operation: operation.name, identity: operation.identity, targets };
}

function operationOf(
  request: WireBatch,
): { readonly name: BatchOperation; readonly identity: string } | undefined {
  const given: readonly (readonly [
    BatchOperation,
    { identity?: string | null } | null | undefined,
  ])[] = [
    ['terminate', request.terminationOperation],
    ['cancel', request.cancellationOperation],
    ['signal', request.signalOperation],
    ['delete', request.deletionOperation],
    ['reset', request.resetOperation],
    ['unpauseActivities', request.unpauseActivitiesOperation],
    ['resetActivities', request.resetActivitiesOperation],
    ['updateActivityOptions', request.updateActivityOptionsOperation],
    ['updateOptions', request.updateWorkflowOptionsOperation],
  ];
  const found = given.find(([, operation]) => operation);
  return found && { name: found[0], identity: found[1]?.identity ?? '' };
}

function operationProblem(request: WireBatch, limits: Limits): string | undefined {
  const { signalOperation: signal, resetOperation: reset } = request;
  if (signal) {
    if (!signal.signal) return 'must provide signal name';
    const tooLong = checkIdLength('signal name', signal.signal, limits);
    if (tooLong !== undefined) return tooLong;
    return payloadsBytes(signal.input) > limits.payloadBytesMax ? blobSizeMessage : undefined;
  }
  if (reset) {
    const { options } = reset;
    const target =
      options?.firstWorkflowTask ??
      options?.lastWorkflowTask ??
      (Number(options?.workflowTaskId ?? 0) || options?.buildId || reset.resetType);
    return target ? undefined : 'unknown batch reset type Unspecified';
  }
  const ofActivities =
    request.unpauseActivitiesOperation ??
    request.resetActivitiesOperation ??
    request.updateActivityOptionsOperation;
  if (ofActivities && !ofActivities.type && !ofActivities.matchAll) {
    return 'must provide ActivityType or MatchAll';
  }
  return undefined;
}

function invalid(message: string): Refused {
  return refuse('INVALID_ARGUMENT', message);
}

function unbuilt(what: string): Refused {
  return refuse('UNIMPLEMENTED', `Batch operations on ${what} are not built.`);
}
