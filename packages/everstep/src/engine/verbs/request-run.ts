/** The run a request names: by run id, or the workflow id's current run. */
import { runNotFound } from '../executor.ts';
import type { EngineContext } from '../context.ts';
import { settled } from '../unit.ts';
import type { LiveRun } from '../unit.ts';
import { checkIdLength, idNotStorable } from '../../core/id-length.ts';
import type { InputKind, InputOf, PauseArgs, Replies } from '../../core/input.ts';
import type { WireWorkflowExecution } from '../../core/proto.ts';
import { ServiceError } from '../../service/service-error.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function invalid(message: string): ServiceError {
  return new ServiceError({ code: 'INVALID_ARGUMENT', message });
}

/** Checks ids as Temporal words it. */
export function executionOf(execution: WireWorkflowExecution | null | undefined): {
  readonly workflowId: string;
  readonly runId: string;
} {
  if (!execution) throw invalid('Execution is not set on request.');
  const workflowId = execution.workflowId ?? '';
  const runId = execution.runId ?? '';
  if (workflowId === '') throw invalid('WorkflowId is not set on request.');
  if (runId !== '' && !uuid.test(runId)) throw invalid('Invalid RunId.');
  // No run can have such an id, and a store that cuts it would find another's.
  if (idNotStorable(workflowId)) throw runNotFound({ workflowId, runId });
  return { workflowId, runId };
}

/** For an input: what is cached will do, the commit finds out. */
export async function runOf(
  context: EngineContext,
  namespaceId: string,
  execution: WireWorkflowExecution | null | undefined,
): Promise<LiveRun> {
  const { workflowId, runId } = executionOf(execution);
  const run = runId
    ? await context.executor.locate({ namespaceId, workflowId, runId })
    : await context.executor.locateCurrent(namespaceId, workflowId);
  if (!run) throw runNotFound({ workflowId, runId });
  return run;
}

/** Applies an input to the run that a request names; without a run id it is meant for whatever run is current. */
export async function submitToNamed<K extends InputKind>(
  context: EngineContext,
  namespaceId: string,
  execution: WireWorkflowExecution | null | undefined,
  input: InputOf<K>,
  check?: (run: LiveRun) => void,
): Promise<Replies[K]> {
  const run = await runOf(context, namespaceId, execution);
  if (!execution?.runId) {
    return (await context.executor.submitToChain<K>(run, input, check)).value;
  }
  check?.(run);
  return (await context.executor.submitTo<K>(run, input)).value;
}

/** For a read: as the store has it now. */
export async function freshRunOf(
  context: EngineContext,
  namespaceId: string,
  execution: WireWorkflowExecution | null | undefined,
): Promise<LiveRun> {
  const { workflowId, runId } = executionOf(execution);
  const run = await runOf(context, namespaceId, { workflowId, runId });
  // The workflow id's current run was read from the store just now, but for one that is being changed here.
  const fresh = await committed(
    context,
    runId || run.part ? await context.executor.refresh(run) : run,
  );
  if (!fresh) throw runNotFound({ workflowId, runId });
  return fresh;
}

/** A run whose first commit is still under way is not there yet for readers. */
async function committed(
  context: EngineContext,
  run: LiveRun | undefined,
): Promise<LiveRun | undefined> {
  if (!run || run.state) return run;
  if (run.part) await settled(run.part.unit);
  // Others may have changed it since that commit, which told this process late.
  return run.state ? context.executor.refresh(run) : context.executor.locate(run.key);
}

/** Who pauses a run or lets it go on, and why; each is limited in length. */
export function pauseArgs(
  context: EngineContext,
  request: {
    readonly identity?: string | null;
    readonly reason?: string | null;
    readonly requestId?: string | null;
  },
): PauseArgs {
  const args = {
    identity: request.identity ?? '',
    reason: request.reason ?? '',
    requestId: request.requestId ?? '',
  };
  for (const [name, value] of Object.entries(args)) {
    const tooLong = checkIdLength(name, value, context.coreLimits);
    if (tooLong !== undefined) throw invalid(tooLong);
  }
  return args;
}
