/**
 * Whether a run may start under a workflow id that was used before (ID-1, ID-2, ID-3, SG-3). Pure: the engine
 * looks up the current run and does what is decided in one commit with the start.
 */
import { refuse } from './answer.ts';
import type { StartRequest } from './input.ts';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from './proto.ts';
import type { Refusal } from './refusal.ts';
import type { ScheduledBy } from './schedule/schedule-state.ts';
import type { RunState, RunStatus } from './state.ts';

export type CurrentRun = Pick<
  RunState,
  | 'status'
  | 'runId'
  | 'firstRunId'
  | 'createRequestId'
  | 'requestIds'
  | 'signalRequestIds'
  | 'scheduledBy'
>;

export type StartDecision =
  | { readonly kind: 'start' }
  /** The current run is terminated in the commit that starts the new one. */
  | { readonly kind: 'terminateAndStart'; readonly runId: string }
  /** `started` is what the reply says: true when this very request started the run (ID-1). */
  | { readonly kind: 'useExisting'; readonly runId: string; readonly started: boolean }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** SG-3: a run that is open is signalled. */
export type SignalWithStartDecision =
  | Exclude<StartDecision, { readonly kind: 'useExisting' }>
  | { readonly kind: 'signal'; readonly runId: string }
  /** This very request started the run, which has closed since. */
  | { readonly kind: 'useExisting'; readonly runId: string; readonly started: boolean };

type PolicyRequest = Pick<
  StartRequest,
  'workflowId' | 'requestId' | 'workflowIdReusePolicy' | 'workflowIdConflictPolicy'
>;

const reuse = WorkflowIdReusePolicy;
const conflict = WorkflowIdConflictPolicy;

const open: ReadonlySet<RunStatus> = new Set<RunStatus>(['created', 'running']);
const failedStatuses: ReadonlySet<RunStatus> = new Set<RunStatus>([
  'failed',
  'canceled',
  'terminated',
  'timedOut',
]);

export function decideStart(
  current: CurrentRun | undefined,
  request: PolicyRequest,
  scheduledBy?: ScheduledBy,
): StartDecision {
  if (!current) return { kind: 'start' };
  const known = sameRequest(current, request) ?? sameAction(current, scheduledBy);
  if (known) return known;
  if (!open.has(current.status)) return decideReuse(current, request);
  switch (request.workflowIdConflictPolicy || conflictOf(request)) {
    case conflict.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING:
      return { kind: 'useExisting', runId: current.runId, started: false };
    case conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING:
      return { kind: 'terminateAndStart', runId: current.runId };
    default:
      return alreadyStarted(
        current,
        `Workflow execution is already running. WorkflowId: ${request.workflowId ?? ''}, RunId: ${current.runId}.`,
      );
  }
}

export function decideSignalWithStart(
  current: CurrentRun | undefined,
  request: PolicyRequest,
): SignalWithStartDecision {
  if (!current) return { kind: 'start' };
  if (open.has(current.status)) {
    const terminates =
      (request.workflowIdConflictPolicy || conflictOf(request)) ===
      conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
    // A repeated request must not terminate the run it made; as a signal it is known by its id (SG-1).
    return terminates && !sameSignal(current, request)
      ? { kind: 'terminateAndStart', runId: current.runId }
      : { kind: 'signal', runId: current.runId };
  }
  return sameSignal(current, request) ?? decideReuse(current, request);
}

/** SG-1: a plain start with that request id has brought no signal. */
function sameSignal(current: CurrentRun, request: PolicyRequest): ReturnType<typeof sameRequest> {
  return current.signalRequestIds.has(request.requestId ?? '')
    ? sameRequest(current, request)
    : undefined;
}

/** ID-1, before any policy. */
function sameRequest(
  current: CurrentRun,
  request: PolicyRequest,
): Extract<StartDecision, { readonly kind: 'useExisting' }> | undefined {
  const requestId = request.requestId ?? '';
  if (requestId === '') return undefined;
  const started = requestId === current.createRequestId;
  return started || current.requestIds.has(requestId)
    ? { kind: 'useExisting', runId: current.runId, started }
    : undefined;
}

/** SC-1: what an action of a schedule has started may have been followed by other runs of its chain since. */
function sameAction(
  { scheduledBy, firstRunId }: CurrentRun,
  by: ScheduledBy | undefined,
): Extract<StartDecision, { readonly kind: 'useExisting' }> | undefined {
  const same = by && scheduledBy?.runId === by.runId && scheduledBy.actionId === by.actionId;
  return same ? { kind: 'useExisting', runId: firstRunId, started: true } : undefined;
}

/** The deprecated reuse policy says what a conflict policy now says. */
function conflictOf(request: PolicyRequest): WorkflowIdConflictPolicy {
  return request.workflowIdReusePolicy === reuse.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING
    ? conflict.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
    : conflict.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED;
}

/** ID-3. */
function decideReuse(
  current: CurrentRun,
  request: PolicyRequest,
): Extract<StartDecision, { readonly kind: 'start' | 'refuse' }> {
  const ids = `WorkflowId: ${request.workflowId ?? ''}, RunId: ${current.runId}.`;
  switch (request.workflowIdReusePolicy) {
    case reuse.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY:
      return failedStatuses.has(current.status)
        ? { kind: 'start' }
        : alreadyStarted(
            current,
            `Workflow execution already finished successfully. ${ids} Workflow Id reuse policy: allow duplicate workflow Id if last run failed.`,
          );
    case reuse.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE:
      return alreadyStarted(
        current,
        `Workflow execution already finished. ${ids} Workflow Id reuse policy: reject duplicate workflow Id.`,
      );
    default:
      return { kind: 'start' };
  }
}

function alreadyStarted(
  current: CurrentRun,
  message: string,
): Extract<StartDecision, { readonly kind: 'refuse' }> {
  const { refusal } = refuse('ALREADY_EXISTS', message, {
    kind: 'workflowExecutionAlreadyStarted',
    startRequestId: current.createRequestId,
    runId: current.runId,
  });
  return { kind: 'refuse', refusal };
}
