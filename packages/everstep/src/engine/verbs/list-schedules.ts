import { decodeListPage, encodeListPage } from '../page-token.ts';
import { scheduleFilter } from '../schedule-query.ts';
import { scheduleListInfoOf } from '../schedule-info.ts';
import { schedulesNamespaceId } from '../schedules.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

/** Newest first. */
export const listSchedules: Verb<'listSchedules'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const pageMax = context.limits.listPageMax;
  const pageSize = request.maximumPageSize || pageMax;
  if (pageSize < 0 || pageSize > pageMax) {
    throw invalid(`Pagesize is larger than allowed ${pageMax}.`);
  }
  const { filter, groupBy } = scheduleFilter(
    request.query ?? '',
    namespace.config.searchAttributes,
  );
  if (groupBy) throw invalid('GROUP BY clause is only supported in count queries.');
  const after = decodeListPage(request.nextPageToken);
  const rows = await context.store.visibility.list({
    namespaceId: schedulesNamespaceId(namespace.namespaceId),
    limit: pageSize,
    filter,
    ...(after ? { after } : {}),
  });
  const now = context.clock.now();
  const schedules = [];
  for (const { ref, key } of rows) {
    const run = await context.executor.locateByRef(ref, key.runId);
    const fresh = run && (await context.executor.refresh(run));
    if (!fresh?.state?.schedule) continue;
    const { memo, schedule } = fresh.state;
    schedules.push({
      scheduleId: key.workflowId,
      memo: memo ?? null,
      searchAttributes: schedule.searchAttributes ?? null,
      info: scheduleListInfoOf(key.workflowId, schedule, now),
    });
  }
  const last = rows.at(-1);
  return {
    schedules,
    ...(last && rows.length === pageSize
      ? { nextPageToken: encodeListPage({ startTime: last.columns.startTime, ref: last.ref }) }
      : {}),
  };
};
