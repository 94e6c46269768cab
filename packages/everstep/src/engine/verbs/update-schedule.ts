import {
  canonicalSchedule,
  checkedAttributes,
  decodeConflictToken,
  submitToSchedule,
} from '../schedules.ts';
import type { Verb } from '../verb.ts';

/** SC-7: the whole schedule is replaced, if it still is the one that was described. */
export const updateSchedule: Verb<'updateSchedule'> = async (context, request) => {
  const namespace = await context.namespaces.getFor(
    request.namespace,
    request.searchAttributes,
    request.schedule?.action?.startWorkflow?.searchAttributes,
  );
  const schedule = canonicalSchedule(context, namespace, request.schedule);
  const { memo } = request;
  const searchAttributes = checkedAttributes(context, namespace, request.searchAttributes);
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
