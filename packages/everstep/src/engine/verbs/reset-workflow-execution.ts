import { resetRun } from '../../core/reset.ts';
import type { RunState } from '../../core/state.ts';
import { numberOf } from '../../core/time.ts';
import type { HistoryEvent } from '../../core/proto.ts';
import { ServiceError } from '../../service/service-error.ts';
import type { EngineContext } from '../context.ts';
import { errorOf, runNotFound } from '../executor.ts';
import type { LiveRun } from '../unit.ts';
import { newUnit, settled } from '../unit.ts';
import type { Verb } from '../verb.ts';
import { executionOf, freshRunOf, invalid } from './request-run.ts';

const conflictsMax = 100;

/** RS-1 … RS-3: the new run and the end of the current one are one commit. */
export const resetWorkflowExecution: Verb<'resetWorkflowExecution'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const { workflowId } = executionOf(request.workflowExecution);
  if (!request.workflowTaskFinishEventId)
    throw invalid('Workflow task finish ID must be set on request.');
  if (request.postResetOperations?.length) {
    throw new ServiceError({
      code: 'UNIMPLEMENTED',
      message: `A reset with post_reset_operations is not built; reset ${workflowId} without, and then signal it or change its options.`,
    });
  }
  for (let conflicts = 0; conflicts < conflictsMax; conflicts += 1) {
    const asked = await freshRunOf(context, namespace.namespaceId, request.workflowExecution);
    const current = await context.executor.locateCurrent(namespace.namespaceId, workflowId);
    if (!current) throw runNotFound({ workflowId, runId: '' });
    // One that is being changed was read from the store: another object, and not another run.
    const base = asked.key.runId === current.key.runId ? current : asked;
    const runId = await attempt(context, base, current, request);
    if (runId !== undefined) return { runId };
  }
  throw new ServiceError({
    code: 'UNAVAILABLE',
    message: `Workflow ${workflowId} is being changed by too many at once; try again.`,
  });
};

/** The new run's id, or undefined when somebody else changed the current run first. */
async function attempt(
  context: EngineContext,
  base: LiveRun,
  current: LiveRun,
  request: Parameters<Verb<'resetWorkflowExecution'>>[1],
): Promise<string | undefined> {
  const baseEvents = await wholeHistory(context, base);
  const chain = await runsAfter(context, base, baseEvents);
  // A run that is being changed right now is reset once that is committed.
  for (const run of [current, base]) while (run.part) await settled(run.part.unit);
  if (current.dropped || !current.state || base.dropped || !base.state) return undefined;
  // What was written while this waited is part of what is reset.
  if (base.state.nextEventId !== baseEvents.length + 1) return undefined;
  const requestId = request.requestId || context.random.uuid();
  if (current.state.createRequestId === requestId) return current.key.runId;
  const answer = resetRun(
    current.state,
    baseEvents,
    {
      baseRunId: base.key.runId,
      workflowTaskFinishEventId: numberOf(request.workflowTaskFinishEventId),
      newRunId: context.random.uuid(),
      reason: request.reason ?? '',
      requestId,
      identity: request.identity ?? '',
      excludeTypes: request.resetReapplyExcludeTypes ?? [],
      ...(request.resetReapplyType ? { reapplyType: request.resetReapplyType } : {}),
      ...(base === current ? {} : { base: base.state }),
      chainEvents: chain.events,
      currentIsInChain: chain.runIds.includes(current.key.runId),
    },
    context.executor.env(),
  );
  if (!answer.ok) throw new ServiceError(answer.refusal);
  return new Promise<string | undefined>((resolve, reject) => {
    const unit = newUnit();
    unit.restart = () => {
      resolve(undefined);
    };
    const changes = [{ run: current, made: answer.current }];
    if (base !== current) changes.push({ run: base, made: answer.base });
    context.executor.addTransitions(unit, changes, answer.next, (outcome) => {
      if (outcome.ok) resolve((answer.next.state as RunState).runId);
      else reject(errorOf(outcome) as Error);
    });
  });
}

/** The runs that continued a run as new, oldest first (RS-2). */
async function runsAfter(
  context: EngineContext,
  base: LiveRun,
  baseEvents: readonly HistoryEvent[],
): Promise<{ readonly runIds: readonly string[]; readonly events: readonly HistoryEvent[] }> {
  const runIds: string[] = [];
  const events: HistoryEvent[] = [];
  for (let last = baseEvents.at(-1); last; last = events.at(-1)) {
    const runId = last.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    const run = runId && (await context.executor.locate({ ...base.key, runId }));
    if (!run) break;
    runIds.push(run.key.runId);
    events.push(...(await wholeHistory(context, run)));
  }
  return { runIds, events };
}

function wholeHistory(context: EngineContext, run: LiveRun): Promise<HistoryEvent[]> {
  return context.history.read(run, 1, run.state?.nextEventId ?? 1);
}
