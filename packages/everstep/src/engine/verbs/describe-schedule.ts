import { scheduleInfoOf } from '../schedule-info.ts';
import { encodeConflictToken, scheduleOf } from '../schedules.ts';
import type { Verb } from '../verb.ts';

export const describeSchedule: Verb<'describeSchedule'> = async (context, request) => {
  const namespace = await context.namespaces.get(request.namespace);
  const scheduleId = request.scheduleId ?? '';
  const { state, schedule } = await scheduleOf(context, namespace, scheduleId);
  return {
    schedule: schedule.schedule,
    info: scheduleInfoOf(scheduleId, schedule, context.clock.now()),
    memo: state.memo ?? null,
    searchAttributes: schedule.searchAttributes ?? null,
    conflictToken: encodeConflictToken(schedule.conflictToken),
  };
};
