import type { Verb } from '../verb.ts';
import { byId } from './activity-ref.ts';

/** AC-11. */
export const recordActivityTaskHeartbeatById: Verb<'recordActivityTaskHeartbeatById'> = async (
  context,
  request,
) => {
  const { run, activity } = await byId(context, request);
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
