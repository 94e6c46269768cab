import { patchProblem } from '../../core/schedule/schedule-request.ts';
import { ServiceError } from '../../service/service-error.ts';
import { submitToSchedule } from '../schedules.ts';
import type { Verb } from '../verb.ts';

/** Pause, unpause, trigger, backfill. */
export const patchSchedule: Verb<'patchSchedule'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const problem = patchProblem(request.patch);
  if (problem) throw new ServiceError(problem);
  await submitToSchedule(context, namespace, request.scheduleId ?? '', {
    kind: 'patchSchedule',
    patch: request.patch ?? {},
    requestId: request.requestId ?? '',
  });
  return {};
};
