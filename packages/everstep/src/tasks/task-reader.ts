/** Statuses and results, read from describing a run and from its history (task-status.ts says what they mean). */
import { EverstepError } from '../service/error-codes.ts';
import { failureMessage, failureSummary } from './failure-summary.ts';
import {
  decodedFailure,
  decodedPayload,
  describeRun,
  grpcCode,
  grpcCodeOf,
  historyPage,
  isUnknownRun,
  wholeHistory,
  type TaskClient,
} from './task-client.ts';
import {
  cancelReason,
  runEnd,
  statusView,
  type HistoryEvent,
  type RunDescription,
  type RunEnd,
  type StatusView,
  type TaskStatus,
} from './task-status.ts';

/** A chain that grows while it is read is followed this far. */
const runsFollowedMax = 100;

/** Never rejects for an unknown id: that is the status `not_found`. */
export async function readStatus(task: TaskClient, taskId: string): Promise<TaskStatus> {
  let description = await describeRun(task, taskId);
  for (let run = 0; description !== undefined; run += 1) {
    const runId = description.workflowExecutionInfo?.execution?.runId ?? '';
    let events: HistoryEvent[];
    try {
      events = await wholeHistory(task, taskId, runId);
    } catch (error) {
      if (isUnknownRun(error)) break;
      throw error;
    }
    const view = statusView(description, events);
    if (view.end?.kind !== 'continued' || run >= runsFollowedMax) {
      return statusOf(task, taskId, description, view);
    }
    description = await describeRun(task, taskId, view.end.runId);
  }
  return { taskId, status: 'not_found', createdAt: 0 };
}

/** The view with its payloads decoded, and the start of the chain's first run as the start. */
export async function statusOf(
  task: TaskClient,
  taskId: string,
  description: RunDescription,
  view: StatusView,
): Promise<TaskStatus> {
  const { end, lastFailure, progress, createdAt, completedSteps, ...rest } = view;
  const failure = end?.kind === 'failed' || end?.kind === 'cancelled' ? end.failure : lastFailure;
  const error = failure === undefined ? undefined : await decodedFailure(task, failure);
  return {
    taskId,
    ...rest,
    createdAt: await chainStart(task, taskId, description, createdAt),
    completedSteps,
    ...(end?.kind === 'completed' && {
      result: end.result === undefined ? undefined : await decodedPayload(task, end.result),
    }),
    ...(error !== undefined && {
      error: failureMessage(error, rest.currentStep),
      failure: failureSummary(error),
    }),
    ...(progress !== undefined && { progress: await decodedPayload(task, progress) }),
  };
}

/** When the chain of runs began: the start of its first run, while that is kept. */
export async function chainStart(
  task: TaskClient,
  taskId: string,
  description: RunDescription,
  ownStart: number,
): Promise<number> {
  const info = description.workflowExecutionInfo;
  const firstRunId = info?.firstRunId ?? '';
  if (firstRunId === '' || firstRunId === info?.execution?.runId) return ownStart;
  const first = await describeRun(task, taskId, firstRunId);
  return first === undefined
    ? ownStart
    : Math.min(ownStart, statusView(first, []).createdAt || ownStart);
}

/**
 * Waits for the end of the chain.
 *
 * @throws EverstepError TASK_FAILED, TASK_CANCELLED (with the failure as cause), TASK_NOT_FOUND, RESULT_TIMEOUT.
 */
export async function awaitResult(
  task: TaskClient,
  taskId: string,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const end =
    timeoutMs === undefined && signal === undefined
      ? await awaitEnd(task, taskId)
      : await endWithin(task, taskId, timeoutMs, signal);
  if (end.kind === 'completed') {
    return end.result === undefined ? undefined : decodedPayload(task, end.result);
  }
  const cause = await decodedFailure(task, end.failure);
  const message = failureMessage(cause);
  throw end.kind === 'failed'
    ? new EverstepError('TASK_FAILED', `Task ${taskId} failed: ${message}`, { taskId, cause })
    : new EverstepError('TASK_CANCELLED', `Task ${taskId} was cancelled: ${message}`, {
        taskId,
        cause,
      });
}

type FinalEnd = Exclude<RunEnd, { kind: 'continued' }>;

async function awaitEnd(task: TaskClient, taskId: string): Promise<FinalEnd> {
  let runId = '';
  let pageToken: Uint8Array | undefined;
  for (;;) {
    const page = await closePage(task, taskId, runId, pageToken);
    const last = page.events.at(-1);
    const end = last === undefined ? undefined : runEnd(last);
    if (end === undefined) {
      pageToken = page.nextPageToken;
    } else if (end.kind === 'continued') {
      runId = end.runId;
      pageToken = undefined;
    } else if (last?.workflowExecutionCanceledEventAttributes) {
      return withReason(task, taskId, runId, end);
    } else {
      return end;
    }
  }
}

/** Why it was cancelled stands in the request's event, or nowhere if the run is no longer kept. */
async function withReason(
  task: TaskClient,
  taskId: string,
  runId: string,
  end: FinalEnd,
): Promise<FinalEnd> {
  try {
    const events = await wholeHistory(task, taskId, runId);
    const last = events.at(-1);
    const told = last === undefined ? undefined : runEnd(last, cancelReason(events));
    return told?.kind === 'cancelled' ? told : end;
  } catch (error) {
    if (isUnknownRun(error)) return end;
    throw error;
  }
}

async function closePage(
  task: TaskClient,
  workflowId: string,
  runId: string,
  pageToken: Uint8Array | undefined,
): ReturnType<typeof historyPage> {
  try {
    return await historyPage(task, {
      workflowId,
      runId,
      wait: true,
      closeEventOnly: true,
      ...(pageToken !== undefined && pageToken.length > 0 && { pageToken }),
    });
  } catch (error) {
    if (isUnknownRun(error)) throw taskNotFound(workflowId, error);
    throw error;
  }
}

async function endWithin(
  task: TaskClient,
  taskId: string,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<FinalEnd> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const timer = timeoutMs === undefined ? undefined : task.clock.setTimer(timeoutMs, abort);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await task.client.withAbortSignal(stop.signal, () => awaitEnd(task, taskId));
  } catch (error) {
    if (!stop.signal.aborted || grpcCodeOf(error) !== grpcCode.cancelled) throw error;
    signal?.throwIfAborted();
    const { status, currentStep, error: problem } = await readStatus(task, taskId);
    const where = currentStep === undefined ? '' : ` at step "${currentStep}"`;
    const why = problem === undefined ? '' : ` Its last error: ${problem.replace(/\.?$/, '.')}`;
    throw new EverstepError(
      'RESULT_TIMEOUT',
      `Task ${taskId} has no result after ${timeoutMs ?? 0} ms: its status is ${status}${where}.${why} It goes on; ask again, or cancel it.`,
      { taskId },
    );
  } finally {
    timer?.cancel();
    signal?.removeEventListener('abort', abort);
  }
}

export function taskNotFound(taskId: string, cause?: unknown): EverstepError {
  return new EverstepError(
    'TASK_NOT_FOUND',
    `There is no task ${taskId}: it was never submitted here, or it is no longer kept.`,
    { taskId, cause },
  );
}
