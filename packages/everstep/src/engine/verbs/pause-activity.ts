import { selectorOf } from '../activity-selector.ts';
import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';

/** AC-15. */
export const pauseActivity: Verb<'pauseActivity'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  await submitToNamed<'pauseActivity'>(context, namespaceId, request.execution, {
    kind: 'pauseActivity',
    activity: selectorOf(request),
    identity: request.identity ?? '',
    reason: request.reason ?? '',
  });
  return {};
};
