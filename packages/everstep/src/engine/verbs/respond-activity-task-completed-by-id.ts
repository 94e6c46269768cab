import type { Verb } from '../verb.ts';
import { byId } from './activity-ref.ts';

export const respondActivityTaskCompletedById: Verb<'respondActivityTaskCompletedById'> = async (
  context,
  request,
) => {
  const { run, activity } = await byId(context, request);
  await context.executor.submitTo(run, {
    kind: 'completeActivity',
    activity,
    identity: request.identity ?? '',
    result: request.result ?? null,
  });
  return {};
};
