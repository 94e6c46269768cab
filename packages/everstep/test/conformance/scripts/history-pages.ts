/** A history asked for page by page. */
import type { Action } from './action.ts';
import { call, type Outcome, type Target } from './target.ts';
import { bytesOf, list, record } from './view.ts';

const namespace = 'default';

/** The server's pages hold whole batches, so only all pages together can be compared. */
export async function wholeHistory(
  target: Target,
  { pageSize, reverse, closeOnly }: Extract<Action, { do: 'history' }>,
  execution: object,
): Promise<Outcome> {
  const events: unknown[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const request = {
      namespace,
      execution,
      maximumPageSize: pageSize,
      ...(nextPageToken && { nextPageToken }),
    };
    const page = reverse
      ? await call(target, 'getWorkflowExecutionHistoryReverse', request)
      : await call(target, 'getWorkflowExecutionHistory', {
          ...request,
          historyEventFilterType: closeOnly ? 2 : 1,
        });
    if (!page.ok) return page;
    events.push(...list(record(page.reply['history'])['events']));
    nextPageToken = bytesOf(page.reply['nextPageToken']);
  } while (nextPageToken);
  return { ok: true, reply: { events } };
}
