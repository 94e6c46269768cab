import { selectorOf } from '../activity-selector.ts';
import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';

/** AC-15. */
export const resetActivity: Verb<'resetActivity'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  await submitToNamed<'resetActivity'>(context, namespaceId, request.execution, {
    kind: 'resetActivity',
    activity: selectorOf(request),
    keepPaused: request.keepPaused ?? false,
    resetHeartbeat: request.resetHeartbeat ?? false,
  });
  return {};
};
