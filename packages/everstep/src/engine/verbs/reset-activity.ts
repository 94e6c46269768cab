import { jitterOf, originalOptionsOf, selectorOf } from '../activity-selector.ts';
import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';

/** AC-15. */
export const resetActivity: Verb<'resetActivity'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const { execution } = request;
  const activity = selectorOf(request);
  await submitToNamed<'resetActivity'>(context, namespaceId, execution, {
    kind: 'resetActivity',
    activity,
    keepPaused: request.keepPaused ?? false,
    resetHeartbeat: request.resetHeartbeat ?? false,
    jitterMs: jitterOf(request),
    ...(request.restoreOriginalOptions && {
      originals: await originalOptionsOf(context, namespaceId, execution, activity),
    }),
  });
  return {};
};
