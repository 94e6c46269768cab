import type { Verb } from '../verb.ts';
import { byToken } from './activity-ref.ts';

/** AC-11. */
export const recordActivityTaskHeartbeat: Verb<'recordActivityTaskHeartbeat'> = async (
  context,
  request,
) => {
  const { run, activity } = await byToken(context, request);
  const { value } = await context.executor.submitTo(run, {
    kind: 'heartbeatActivity',
    activity,
    details: request.details ?? null,
    identity: request.identity ?? '',
  });
  return {
    cancelRequested: value.cancelRequested,
    activityPaused: value.paused,
    activityReset: value.reset,
  };
};
