import type { Verb } from '../verb.ts';
import { byId } from './activity-ref.ts';

export const respondActivityTaskFailedById: Verb<'respondActivityTaskFailedById'> = async (
  context,
  request,
) => {
  const { run, activity } = await byId(context, request);
  await context.executor.submitTo(run, {
    kind: 'failActivity',
    activity,
    identity: request.identity ?? '',
    failure: request.failure ?? null,
    lastHeartbeatDetails: request.lastHeartbeatDetails ?? null,
  });
  return {};
};
