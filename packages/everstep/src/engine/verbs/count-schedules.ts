import { longOf } from '../../core/time.ts';
import { scheduleFilter } from '../schedule-query.ts';
import { schedulesNamespaceId } from '../schedules.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

export const countSchedules: Verb<'countSchedules'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const { filter, groupBy } = scheduleFilter(
    request.query ?? '',
    namespace.config.searchAttributes,
  );
  if (groupBy) throw invalid('GROUP BY ExecutionStatus says nothing about schedules.');
  const { count } = await context.store.visibility.count({
    namespaceId: schedulesNamespaceId(namespace.namespaceId),
    groupByStatus: false,
    filter,
  });
  return { count: longOf(count) };
};
