import { withoutSchedulesDivision } from '../schedule-query.ts';
import { schedulesNamespaceId } from '../schedules.ts';
import { longOf } from '../../core/time.ts';
import { statusToWire } from '../run-info.ts';
import type { Verb } from '../verb.ts';
import { parseVisibilityQuery } from '../visibility-query.ts';
import { statusNames } from '../query-field.ts';

const encoder = new TextEncoder();

export const countWorkflowExecutions: Verb<'countWorkflowExecutions'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const { filter: asked, groupBy } = parseVisibilityQuery(
    request.query ?? '',
    namespace.config.searchAttributes,
  );
  const { namespaceId } = namespace;
  const ofSchedules = withoutSchedulesDivision(asked);
  const filter = ofSchedules ?? asked;
  const { count, groups } = await context.store.visibility.count({
    namespaceId: ofSchedules ? schedulesNamespaceId(namespaceId) : namespaceId,
    groupByStatus: groupBy,
    ...(filter ? { filter } : {}),
  });
  if (!groupBy) return { count: longOf(count) };
  const byName = new Map<string, number>();
  // In the order of the statuses' numbers, as Temporal answers.
  const inOrder = groups.toSorted((a, b) => statusToWire[a.status] - statusToWire[b.status]);
  for (const group of inOrder) {
    const name = statusNames[group.status];
    byName.set(name, (byName.get(name) ?? 0) + group.count);
  }
  return {
    count: longOf(count),
    groups: [...byName].map(([name, groupCount]) => ({
      count: longOf(groupCount),
      groupValues: [
        {
          metadata: { encoding: encoder.encode('json/plain'), type: encoder.encode('Keyword') },
          data: encoder.encode(JSON.stringify(name)),
        },
      ],
    })),
  };
};
