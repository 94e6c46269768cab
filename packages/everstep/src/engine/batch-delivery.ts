/**
 * Steps of batch operations (core/batch/batch.ts), done by whoever delivers the message. A process that dies within a
 * step leaves the message, and another does the step again: signals and resets, of runs and of activities, are known by
 * their request ids, and the other operations change nothing when they are repeated.
 */
import type { BatchOutcome } from '../core/batch/batch-input.ts';
import type { BatchState, BatchTarget } from '../core/batch/batch-state.ts';
import type { InputOf } from '../core/input.ts';
import type { HistoryEvent } from '../core/proto.ts';
import { isOpen } from '../core/state.ts';
import type { RunState } from '../core/state.ts';
import { longOf, numberOf } from '../core/time.ts';
import { ServiceError, isServiceError } from '../service/service-error.ts';
import { batchFilter } from './batches.ts';
import type { EngineContext } from './context.ts';
import type { Namespace } from './namespaces.ts';
import { damagedRun } from './quarantine.ts';
import type { LiveRun } from './unit.ts';
import { deleteWorkflowExecution } from './verbs/delete-workflow-execution.ts';
import { freshRunOf, invalid } from './verbs/request-run.ts';
import { requestCancelWorkflowExecution } from './verbs/request-cancel-workflow-execution.ts';
import { resetActivityOnce } from './verbs/reset-activity.ts';
import { resetWorkflowExecution } from './verbs/reset-workflow-execution.ts';
import { signalWorkflowExecution } from './verbs/signal-workflow-execution.ts';
import { terminateWorkflowExecution } from './verbs/terminate-workflow-execution.ts';
import { unpauseActivity } from './verbs/unpause-activity.ts';
import { updateActivityOptions } from './verbs/update-activity-options.ts';
import { updateWorkflowExecutionOptions } from './verbs/update-workflow-execution-options.ts';

/** Nobody waits for its answer. */
const noCall = {};
/** Listed at once; they stand in the batch's state until they are done. */
const listedMax = 200;
/** Done in one step, so that a step is short. */
const steppedMax = 50;

export async function stepBatch(
  context: EngineContext,
  run: LiveRun,
  step: number,
  outboxId: number,
): Promise<void> {
  const found = run.dropped ? await context.executor.locate(run.key) : run;
  const state = found?.latest;
  const batch = state?.batch;
  const namespace = batch && (await context.namespaces.find(batch.namespaceId));
  const stale = !state || !isOpen(state) || batch?.step !== step || !batch.stepping;
  if (!namespace || stale) {
    await context.store.outbox.delete({ outboxIds: [outboxId] });
    return;
  }
  const input =
    batch.pending.length > 0
      ? await takeSome(context, namespace, state, batch)
      : await listMore(context, namespace, batch);
  try {
    await context.executor.submit(run.key, input as never, { doneOutbox: outboxId });
  } catch (error) {
    if (!isServiceError(error) || error.retryable) throw error;
    // It was stopped meanwhile.
    await context.store.outbox.delete({ outboxIds: [outboxId] });
  }
}

async function listMore(
  context: EngineContext,
  namespace: Namespace,
  batch: BatchState,
): Promise<InputOf<'batchListed' | 'stopBatch'>> {
  let filter;
  try {
    filter = batchFilter(namespace, batch);
  } catch (error) {
    if (!isServiceError(error)) throw error;
    // What it asks for is not registered any more.
    context.logger.warn('A batch operation was stopped: its query is refused', { error });
    return { kind: 'stopBatch' };
  }
  const rows = await context.store.visibility.list({
    namespaceId: namespace.namespaceId,
    limit: listedMax,
    ...(filter && { filter }),
    ...(batch.cursor && { after: batch.cursor }),
  });
  const last = rows.at(-1);
  return {
    kind: 'batchListed',
    step: batch.step,
    targets: rows.map(({ key }) => ({
      workflowId: key.workflowId,
      runId: key.runId,
      attempts: 0,
    })),
    ...(last && { cursor: { startTime: last.columns.startTime, ref: last.ref } }),
    listed: rows.length < listedMax,
  };
}

async function takeSome(
  context: EngineContext,
  namespace: Namespace,
  state: RunState,
  batch: BatchState,
): Promise<InputOf<'batchStepped'>> {
  const most = context.limits.batchOperationsPerSecond;
  const perSecond = Math.min(batch.request.maxOperationsPerSecond || most, most);
  const count = Math.max(1, Math.min(Math.floor(perSecond), steppedMax));
  const nextStepAt = context.clock.now() + (count * 1_000) / perSecond;
  const outcomes = await Promise.all(
    batch.pending.slice(0, count).map((target) => outcomeOf(context, namespace, state, target)),
  );
  return { kind: 'batchStepped', step: batch.step, outcomes, nextStepAt };
}

/** A run that is gone or has ended needs it no more. */
async function outcomeOf(
  context: EngineContext,
  namespace: Namespace,
  state: RunState,
  target: BatchTarget,
): Promise<BatchOutcome> {
  try {
    await operate(context, namespace, state, target);
    return 'completed';
  } catch (error) {
    if (damagedRun(error) !== undefined) return 'failed';
    if (!(error instanceof ServiceError)) throw error;
    if (error.code === 'NOT_FOUND') return 'completed';
    return error.retryable ? 'again' : 'failed';
  }
}

async function operate(
  context: EngineContext,
  { name: namespace, namespaceId }: Namespace,
  state: RunState,
  { workflowId, runId }: BatchTarget,
): Promise<void> {
  const { request, identity, operation } = state.batch as BatchState;
  const reason = request.reason ?? '';
  const workflowExecution = { workflowId, runId };
  const requestId = `${state.runId}:${runId || workflowId}`;
  const named = { namespace, workflowExecution, identity, reason };
  const ofActivities = { namespace, execution: workflowExecution, identity };
  switch (operation) {
    case 'terminate': {
      const details = request.terminationOperation?.details ?? null;
      await terminateWorkflowExecution(context, { ...named, details }, noCall);
      return;
    }
    case 'cancel':
      await requestCancelWorkflowExecution(context, { ...named, requestId }, noCall);
      return;
    case 'signal': {
      const { signal, input, header } = request.signalOperation ?? {};
      await signalWorkflowExecution(
        context,
        {
          namespace,
          workflowExecution,
          identity,
          requestId,
          signalName: signal ?? '',
          input: input ?? null,
          header: header ?? null,
        },
        noCall,
      );
      return;
    }
    case 'delete':
      await deleteWorkflowExecution(context, { namespace, workflowExecution }, noCall);
      return;
    case 'reset': {
      const options = request.resetOperation?.options;
      const at = await resetPoint(context, namespaceId, workflowExecution, request);
      await resetWorkflowExecution(
        context,
        {
          ...named,
          ...at,
          requestId,
          resetReapplyType:
            options?.resetReapplyType || request.resetOperation?.resetReapplyType || 0,
          resetReapplyExcludeTypes: options?.resetReapplyExcludeTypes ?? [],
        },
        noCall,
      );
      return;
    }
    case 'unpauseActivities': {
      const { type, matchAll, ...rest } = request.unpauseActivitiesOperation ?? {};
      const which = type ? { type } : { unpauseAll: matchAll ?? false };
      await unpauseActivity(context, { ...rest, ...ofActivities, ...which }, noCall);
      return;
    }
    case 'resetActivities':
      await resetActivityOnce(
        context,
        { ...request.resetActivitiesOperation, ...ofActivities },
        requestId,
      );
      return;
    case 'updateActivityOptions':
      await updateActivityOptions(
        context,
        {
          ...request.updateActivityOptionsOperation,
          ...ofActivities,
        },
        noCall,
      );
      return;
    case 'updateOptions':
      await updateWorkflowExecutionOptions(
        context,
        { ...request.updateWorkflowOptionsOperation, namespace, workflowExecution, identity },
        noCall,
      );
  }
}

/** The run and the workflow task that a reset goes to. */
async function resetPoint(
  context: EngineContext,
  namespaceId: string,
  execution: { readonly workflowId: string; readonly runId: string },
  { resetOperation }: BatchState['request'],
) {
  const { options, resetType } = resetOperation ?? {};
  const run = await freshRunOf(context, namespaceId, execution);
  const { workflowId, runId } = run.key;
  if (options?.buildId) {
    const point = run.state?.resetPoints.find(({ buildId }) => buildId === options.buildId);
    if (!point || (options.currentRunOnly && point.runId !== runId)) {
      throw invalid(`no workflow task of build id ${options.buildId} is known of ${workflowId}`);
    }
    return {
      workflowExecution: { workflowId, runId: point.runId },
      workflowTaskFinishEventId: longOf(point.firstWorkflowTaskCompletedId),
    };
  }
  const workflowExecution = { workflowId, runId };
  if (options?.workflowTaskId && numberOf(options.workflowTaskId) > 0) {
    return { workflowExecution, workflowTaskFinishEventId: options.workflowTaskId };
  }
  const first = options ? Boolean(options.firstWorkflowTask) : resetType === 1;
  const events = await context.history.read(run, 1, run.state?.nextEventId ?? 1);
  const completed = (event: HistoryEvent): boolean =>
    Boolean(event.workflowTaskCompletedEventAttributes);
  const event = first ? events.find(completed) : events.findLast(completed);
  const scheduled = events.find((one) => one.workflowTaskScheduledEventAttributes);
  const at = event ? numberOf(event.eventId) : scheduled ? numberOf(scheduled.eventId) + 1 : 0;
  if (at === 0) throw invalid(`${workflowId} has no workflow task to reset to`);
  return { workflowExecution, workflowTaskFinishEventId: longOf(at) };
}
