import { jitterOf, selectorOf } from '../activity-selector.ts';
import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';

/** AC-15. */
export const unpauseActivity: Verb<'unpauseActivity'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  await submitToNamed<'unpauseActivity'>(context, namespaceId, request.execution, {
    kind: 'unpauseActivity',
    activity: selectorOf(request),
    resetAttempts: request.resetAttempts ?? false,
    resetHeartbeat: request.resetHeartbeat ?? false,
    jitterMs: jitterOf(request),
  });
  return {};
};
