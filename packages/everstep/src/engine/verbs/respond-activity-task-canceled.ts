import type { Verb } from '../verb.ts';
import { byToken } from './activity-ref.ts';

export const respondActivityTaskCanceled: Verb<'respondActivityTaskCanceled'> = async (
  context,
  request,
) => {
  const { run, activity } = await byToken(context, request);
  await context.executor.submitTo(run, {
    kind: 'cancelActivity',
    activity,
    identity: request.identity ?? '',
    details: request.details ?? null,
  });
  return {};
};
