/** What is wrong with a start, before any run is looked at (section 14). The first problem, in Temporal's words. */
import { refuse } from './answer.ts';
import { checkSearchAttributes, checkSearchAttributesSize } from './attributes.ts';
import type { AttributeRegistry } from './attributes.ts';
import { validateCron } from './cron.ts';
import { checkTaskQueue, idNotStorable, idTooLong } from './id-length.ts';
import type { SignalWithStartRequest, StartRequest } from './input.ts';
import type { Limits } from './limits.ts';
import { blobSizeMessage, memoBytes, payloadsBytes, utf8Bytes } from './payload-size.ts';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from './proto.ts';
import type { SearchAttributes } from './proto.ts';
import type { Refusal } from './refusal.ts';
import { retryPolicyFromWire, validateRetryPolicy } from './retry.ts';
import { msOfDuration } from './time.ts';

const reuse = WorkflowIdReusePolicy;
const conflict = WorkflowIdConflictPolicy;

export interface RequestRules {
  readonly now: number;
  readonly limits: Limits;
  /** Of the namespace; absent: attributes are not checked against one. */
  readonly registry?: AttributeRegistry;
}

export function validateStart(request: StartRequest, rules: RequestRules): Refusal | undefined {
  const { limits } = rules;
  const workflowType = request.workflowType?.name ?? '';
  return refusalOf(
    workflowIdProblem(request, limits) ??
      retryProblem(request) ??
      delayProblem(request) ??
      cronProblem(request, rules) ??
      (workflowType === '' ? 'WorkflowType is not set on request.' : undefined) ??
      (idTooLong(workflowType, limits) ? 'WorkflowType length exceeds limit.' : undefined) ??
      typeProblem(workflowType) ??
      queueProblem(request, limits) ??
      timeoutProblem(request) ??
      (idTooLong(request.requestId ?? '', limits)
        ? 'RequestId length exceeds limit.'
        : undefined) ??
      (idTooLong(request.identity ?? '', limits) ? 'Identity length exceeds limit.' : undefined) ??
      policyProblem(request) ??
      searchAttributesProblem(request.searchAttributes, rules) ??
      sizeProblem(request, limits),
  );
}

export function validateSignalWithStart(
  request: SignalWithStartRequest,
  rules: RequestRules,
): Refusal | undefined {
  const { limits } = rules;
  const signalName = request.signalName ?? '';
  const workflowType = request.workflowType?.name ?? '';
  return refusalOf(
    cronProblem(request, rules) ??
      workflowIdProblem(request, limits) ??
      (signalName === '' ? 'signal not set' : undefined) ??
      lengthProblem('signal name', signalName, limits) ??
      (workflowType === '' ? 'workflow type not set' : undefined) ??
      lengthProblem('workflow type name', workflowType, limits) ??
      typeProblem(workflowType) ??
      queueProblem(request, limits) ??
      lengthProblem('Request ID', request.requestId ?? '', limits) ??
      (idTooLong(request.identity ?? '', limits) ? 'Identity length exceeds limit.' : undefined) ??
      timeoutProblem(request) ??
      retryProblem(request) ??
      delayProblem(request) ??
      policyProblem(request) ??
      (request.workflowIdConflictPolicy === conflict.WORKFLOW_ID_CONFLICT_POLICY_FAIL
        ? 'Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation.'
        : undefined) ??
      searchAttributesProblem(request.searchAttributes, rules) ??
      sizeProblem(request, limits) ??
      (payloadsBytes(request.signalInput) > limits.payloadBytesMax ? blobSizeMessage : undefined),
  );
}

function refusalOf(problem: string | undefined): Refusal | undefined {
  return problem === undefined ? undefined : refuse('INVALID_ARGUMENT', problem).refusal;
}

type EitherRequest = StartRequest | SignalWithStartRequest;

function lengthProblem(what: string, value: string, limits: Limits): string | undefined {
  return idTooLong(value, limits)
    ? `${what} exceeds maximum allowed length (${utf8Bytes(value)}/${limits.idBytesMax})`
    : undefined;
}

function workflowIdProblem(request: EitherRequest, limits: Limits): string | undefined {
  const workflowId = request.workflowId ?? '';
  if (workflowId === '') return 'WorkflowId is not set on request.';
  if (idNotStorable(workflowId)) return 'WorkflowId holds NUL or a lone surrogate.';
  return lengthProblem('WorkflowId', workflowId, limits);
}

function typeProblem(workflowType: string): string | undefined {
  return idNotStorable(workflowType) ? 'WorkflowType holds NUL or a lone surrogate.' : undefined;
}

function retryProblem(request: EitherRequest): string | undefined {
  return request.retryPolicy
    ? validateRetryPolicy(retryPolicyFromWire(request.retryPolicy))
    : undefined;
}

function delayProblem(request: EitherRequest): string | undefined {
  if (request.cronSchedule && request.workflowStartDelay) {
    return 'CronSchedule and WorkflowStartDelay may not be used together.';
  }
  return negative(
    'An invalid WorkflowStartDelaySeconds is set on request.',
    request.workflowStartDelay,
  );
}

function cronProblem(request: EitherRequest, { now }: RequestRules): string | undefined {
  const answer = validateCron(request.cronSchedule ?? '', now);
  return answer.ok ? undefined : answer.message;
}

function queueProblem(request: EitherRequest, limits: Limits): string | undefined {
  return request.taskQueue
    ? checkTaskQueue(request.taskQueue.name ?? '', limits)
    : 'taskQueue is not set';
}

function timeoutProblem(request: EitherRequest): string | undefined {
  return (
    negative(
      'An invalid WorkflowExecutionTimeoutSeconds is set on request.',
      request.workflowExecutionTimeout,
    ) ??
    negative(
      'An invalid WorkflowRunTimeoutSeconds is set on request.',
      request.workflowRunTimeout,
    ) ??
    negative(
      'An invalid WorkflowTaskTimeoutSeconds is set on request.',
      request.workflowTaskTimeout,
    )
  );
}

function negative(message: string, span: StartRequest['workflowRunTimeout']): string | undefined {
  return msOfDuration(span) < 0 ? `${message} cause: negative duration` : undefined;
}

function policyProblem(request: EitherRequest): string | undefined {
  const conflictPolicy = request.workflowIdConflictPolicy;
  const reusePolicy = request.workflowIdReusePolicy;
  if (conflictPolicy && reusePolicy === reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
    return 'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy';
  }
  if (
    conflictPolicy === conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING &&
    reusePolicy === reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
  ) {
    return 'Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING';
  }
  return undefined;
}

/** VS-1 … VS-3. */
export function searchAttributesProblem(
  attributes: SearchAttributes | null | undefined,
  { limits, registry = noRegistry }: Pick<RequestRules, 'limits' | 'registry'>,
): string | undefined {
  return (
    checkSearchAttributes(attributes, limits, registry) ??
    checkSearchAttributesSize(attributes, limits)
  );
}

const noRegistry: AttributeRegistry = { name: '', registered: undefined };

function sizeProblem(request: EitherRequest, limits: Limits): string | undefined {
  return payloadsBytes(request.input) > limits.payloadBytesMax ||
    memoBytes(request.memo) > limits.memoBytesMax
    ? blobSizeMessage
    : undefined;
}
