import proto from '@temporalio/proto';
import { isOpen } from '../../core/state.ts';
import { unwrittenEventsOf } from '../../core/unwritten-task.ts';
import type { EngineContext } from '../context.ts';
import type { LiveRun } from '../unit.ts';
import { decodeHistoryPage, encodeHistoryPage } from '../page-token.ts';
import type { Verb } from '../verb.ts';
import { freshRunOf, invalid } from './request-run.ts';
import { waitFor } from './wait.ts';

const { HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT } =
  proto.temporal.api.enums.v1.HistoryEventFilterType;

/** Pages of history; with waitNewEvent a long poll for what comes next, or for the close event alone. */
export const getWorkflowExecutionHistory: Verb<'getWorkflowExecutionHistory'> = async (
  context,
  request,
  call,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const page = decodeHistoryPage(request.nextPageToken);
  if (page && request.execution?.runId && request.execution.runId !== page.runId) {
    throw invalid('Next page token is for another run.');
  }
  const execution = page ? { ...request.execution, runId: page.runId } : request.execution;
  let run = await freshRunOf(context, namespace.namespaceId, execution);
  const closeOnly = request.historyEventFilterType === HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
  const from = page?.nextEventId ?? 1;
  if (request.waitNewEvent) {
    const wait = waitFor(context, call, context.limits.historyLongPollMs);
    try {
      while (!wait.signal.aborted && waits(run, closeOnly, from)) {
        if (run.ref === undefined) break;
        const { version } = run;
        const waited = run;
        await context.waiters.wait(
          waited,
          run.ref,
          wait.signal,
          () => !waits(waited, closeOnly, from),
        );
        if (wait.signal.aborted) break;
        // Committed here, just now: the store has nothing newer to say.
        if (!run.dropped && run.version > version) continue;
        run = await freshRunOf(context, namespace.namespaceId, {
          workflowId: run.key.workflowId,
          runId: run.key.runId,
        });
      }
    } finally {
      wait.end();
    }
    const refusal = context.waiters.refusal();
    if (refusal && waits(run, closeOnly, from)) throw refusal;
  }
  const state = run.state;
  if (!state) return { history: { events: [] } };
  const open = isOpen(state);
  if (closeOnly) {
    if (open) {
      return {
        history: { events: [] },
        ...(request.waitNewEvent
          ? { nextPageToken: encodeHistoryPage({ runId: run.key.runId, nextEventId: from }) }
          : {}),
      };
    }
    const last = state.nextEventId - 1;
    return { history: { events: await context.history.read(run, last, last + 1) } };
  }
  const pageEvents = pageEventsOf(context, request.maximumPageSize);
  const until = Math.min(from + pageEvents, state.nextEventId);
  const more = until < state.nextEventId || (request.waitNewEvent === true && open);
  const suffix = page?.forTask && !more ? unwrittenEventsOf(state) : [];
  return {
    history: await context.history.message(run, from, until, suffix),
    ...(more
      ? {
          nextPageToken: encodeHistoryPage({
            runId: run.key.runId,
            nextEventId: until,
            ...(page?.forTask ? { forTask: true } : {}),
          }),
        }
      : {}),
  };
};

export function pageEventsOf(
  context: EngineContext,
  maximumPageSize: number | null | undefined,
): number {
  const { historyPageEvents } = context.limits;
  if ((maximumPageSize ?? 0) < 0) throw invalid('Invalid PageSize.');
  return Math.min(maximumPageSize || historyPageEvents, historyPageEvents);
}

function waits(run: LiveRun, closeOnly: boolean, from: number): boolean {
  const { state } = run;
  if (!state || !isOpen(state)) return false;
  return closeOnly || state.nextEventId <= from;
}
