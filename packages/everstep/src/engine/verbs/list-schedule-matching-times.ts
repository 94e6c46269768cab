import { matchingTimes } from '../../core/schedule/schedule-times.ts';
import { msOfTimestamp, timestampOf } from '../../core/time.ts';
import { scheduleOf } from '../schedules.ts';
import type { Verb } from '../verb.ts';
import { invalid } from './request-run.ts';

const timesMax = 1_000;

/** The times of the spec after `startTime`, up to `endTime`, at most a thousand. */
export const listScheduleMatchingTimes: Verb<'listScheduleMatchingTimes'> = async (
  context,
  request,
) => {
  const namespace = await context.namespaces.get(request.namespace);
  const scheduleId = request.scheduleId ?? '';
  const { schedule } = await scheduleOf(context, namespace, scheduleId);
  if (!request.startTime || !request.endTime) {
    throw invalid('ListScheduleMatchingTimes needs both start_time and end_time.');
  }
  const times = matchingTimes(scheduleId, schedule, {
    after: msOfTimestamp(request.startTime),
    end: msOfTimestamp(request.endTime),
    countMax: timesMax,
  });
  return { startTime: times.map(timestampOf) };
};
