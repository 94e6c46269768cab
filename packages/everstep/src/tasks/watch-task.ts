/**
 * Watching a task: a long poll of its history that reads on from where it was. Heartbeats and retries write no
 * event, so the description is looked at in between as well.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  describeRun,
  historyPage,
  unreached,
  type HistoryPage,
  type TaskClient,
} from './task-client.ts';
import { statusOf, taskNotFound } from './task-reader.ts';
import { statusView, type HistoryEvent, type TaskStatus } from './task-status.ts';

/** How often attempts and progress are looked at while the history stands still. */
const lookEveryMs = 1_000;

/**
 * The status now, then each time it changes, until the task has ended; `break` stops it.
 *
 * @throws EverstepError TASK_NOT_FOUND, TASK_NOT_CONNECTED, COMPONENT_FAILED.
 */
export async function* watchTask(
  task: TaskClient,
  taskId: string,
): AsyncGenerator<TaskStatus, void, void> {
  const stop = new AbortController();
  let runId = '';
  let shown: TaskStatus | undefined;
  try {
    for (;;) {
      const followed = yield* watchRun(task, taskId, runId, stop.signal, (status) => {
        if (isDeepStrictEqual(status, shown)) return false;
        shown = status;
        return true;
      });
      if (followed === undefined) return;
      runId = followed;
    }
  } catch (cause) {
    throw unreached(cause, `watch() of task ${taskId}`, taskId) ?? cause;
  } finally {
    stop.abort();
  }
}

/** Returns the run in which the chain goes on. */
async function* watchRun(
  task: TaskClient,
  taskId: string,
  askedRunId: string,
  stopped: AbortSignal,
  isNews: (status: TaskStatus) => boolean,
): AsyncGenerator<TaskStatus, string | undefined, void> {
  let description = await describeRun(task, taskId, askedRunId);
  const runId = description?.workflowExecutionInfo?.execution?.runId ?? '';
  const events: HistoryEvent[] = [];
  let pageToken: Uint8Array | undefined;
  let waiting: Promise<HistoryPage> | undefined;
  while (description !== undefined) {
    waiting ??= nextPage(task, taskId, runId, pageToken, stopped);
    const page = await pageOrLook(task, waiting);
    if (page !== undefined) {
      waiting = undefined;
      events.push(...page.events);
      pageToken = page.nextPageToken;
    }
    description = await describeRun(task, taskId, runId);
    if (description === undefined || events.length === 0) continue;
    const view = statusView(description, events);
    if (view.end?.kind === 'continued') return view.end.runId;
    const status = await statusOf(task, taskId, description, view);
    if (isNews(status)) yield status;
    if (view.end !== undefined || pageToken?.length === 0) return undefined;
  }
  throw taskNotFound(taskId);
}

function nextPage(
  task: TaskClient,
  workflowId: string,
  runId: string,
  pageToken: Uint8Array | undefined,
  stopped: AbortSignal,
): Promise<HistoryPage> {
  const page = task.client.withAbortSignal(stopped, () =>
    historyPage(task, { workflowId, runId, wait: true, ...(pageToken && { pageToken }) }),
  );
  // It may be given up before it settles.
  page.catch(() => undefined);
  return page;
}

async function pageOrLook(
  task: TaskClient,
  page: Promise<HistoryPage>,
): Promise<HistoryPage | undefined> {
  let look: (nothing: undefined) => void = () => undefined;
  const looked = new Promise<undefined>((resolve) => (look = resolve));
  const timer = task.clock.setTimer(lookEveryMs, () => look(undefined));
  try {
    return await Promise.race([page, looked]);
  } finally {
    timer.cancel();
  }
}
