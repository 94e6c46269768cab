import type { Verb } from '../verb.ts';
import { byToken } from './activity-ref.ts';

export const respondActivityTaskCompleted: Verb<'respondActivityTaskCompleted'> = async (
  context,
  request,
) => {
  const { run, activity } = await byToken(context, request);
  await context.executor.submitTo(run, {
    kind: 'completeActivity',
    activity,
    identity: request.identity ?? '',
    result: request.result ?? null,
  });
  return {};
};
