import type { Verb } from '../verb.ts';
import { byId } from './activity-ref.ts';

export const respondActivityTaskCanceledById: Verb<'respondActivityTaskCanceledById'> = async (
  context,
  request,
) => {
  const { run, activity } = await byId(context, request);
  await context.executor.submitTo(run, {
    kind: 'cancelActivity',
    activity,
    identity: request.identity ?? '',
    details: request.details ?? null,
  });
  return {};
};
