import { jitterOf, originalOptionsOf, selectorOf } from '../activity-selector.ts';
import type { EngineContext } from '../context.ts';
import type { Verb } from '../verb.ts';
import { submitToNamed } from './request-run.ts';

/** AC-15. */
export const resetActivity: Verb<'resetActivity'> = async (context, request) => {
  await resetActivityOnce(context, request, '');
  return {};
};

/** With a request id a repetition changes nothing. */
export async function resetActivityOnce(
  context: EngineContext,
  request: Parameters<Verb<'resetActivity'>>[1],
  requestId: string,
): Promise<void> {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const { execution } = request;
  const activity = selectorOf(request);
  await submitToNamed<'resetActivity'>(context, namespaceId, execution, {
    kind: 'resetActivity',
    requestId,
    activity,
    keepPaused: request.keepPaused ?? false,
    resetHeartbeat: request.resetHeartbeat ?? false,
    jitterMs: jitterOf(request),
    ...(request.restoreOriginalOptions && {
      originals: await originalOptionsOf(context, namespaceId, execution, activity),
    }),
  });
}
