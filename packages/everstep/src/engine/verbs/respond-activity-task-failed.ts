import type { Verb } from '../verb.ts';
import { byToken } from './activity-ref.ts';

export const respondActivityTaskFailed: Verb<'respondActivityTaskFailed'> = async (
  context,
  request,
) => {
  const { run, activity } = await byToken(context, request);
  await context.executor.submitTo(run, {
    kind: 'failActivity',
    activity,
    identity: request.identity ?? '',
    failure: request.failure ?? null,
    lastHeartbeatDetails: request.lastHeartbeatDetails ?? null,
  });
  return {};
};
