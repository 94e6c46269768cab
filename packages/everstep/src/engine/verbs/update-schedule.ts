import { typedAttributes } from '../search-attributes.ts';
import { canonicalSchedule, decodeConflictToken, submitToSchedule } from '../schedules.ts';
import type { Verb } from '../verb.ts';

/** SC-7: the whole schedule is replaced, if it still is the one that was described. */
export const updateSchedule: Verb<'updateSchedule'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const schedule = canonicalSchedule(context, namespace, request.schedule);
  const { memo } = request;
  const searchAttributes = typedAttributes(
    request.searchAttributes,
    namespace.config.searchAttributes,
  );
  await submitToSchedule(context, namespace, request.scheduleId ?? '', {
    kind: 'updateSchedule',
    schedule,
    conflictToken: decodeConflictToken(request.conflictToken),
    requestId: request.requestId ?? '',
    ...(searchAttributes && { searchAttributes }),
    ...(memo && { memo }),
  });
  return {};
};
