import { decodeHistoryPage, encodeHistoryPage } from '../page-token.ts';
import type { Verb } from '../verb.ts';
import { pageEventsOf } from './get-workflow-execution-history.ts';
import { freshRunOf } from './request-run.ts';

/** Newest events first; the token's event id is where the next page ends. */
export const getWorkflowExecutionHistoryReverse: Verb<
  'getWorkflowExecutionHistoryReverse'
> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const page = decodeHistoryPage(request.nextPageToken);
  const run = await freshRunOf(
    context,
    namespace.namespaceId,
    page ? { ...request.execution, runId: page.runId } : request.execution,
  );
  const end = Math.min(page?.nextEventId ?? Infinity, run.state?.nextEventId ?? 1);
  const pageEvents = pageEventsOf(context, request.maximumPageSize);
  const from = Math.max(1, end - pageEvents);
  const events = from < end ? await context.history.read(run, from, end) : [];
  return {
    history: { events: events.reverse() },
    ...(from > 1
      ? { nextPageToken: encodeHistoryPage({ runId: run.key.runId, nextEventId: from }) }
      : {}),
  };
};
