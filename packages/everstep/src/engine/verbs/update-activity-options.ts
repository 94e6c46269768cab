import { activityOptionFields } from '../../core/activity-option-field.ts';
import { originalOptionsOf, selectorOf } from '../activity-selector.ts';
import { maskedFields } from '../field-mask.ts';
import type { Verb } from '../verb.ts';
import { invalid, submitToNamed } from './request-run.ts';

/** AC-15: the fields that the mask names, or all of them back to what they were. */
export const updateActivityOptions: Verb<'updateActivityOptions'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const { execution, activityOptions } = request;
  const fields = maskedFields(request.updateMask?.paths, activityOptionFields);
  if (request.restoreOriginal && fields.length > 0) {
    throw invalid('Both UpdateMask and RestoreOriginal are provided');
  }
  if (!request.restoreOriginal) {
    if (!activityOptions) throw invalid('ActivityOptions are not provided');
    if (!request.updateMask) throw invalid('UpdateMask is not provided');
  }
  const activity = selectorOf(request);
  const { options } = await submitToNamed<'updateActivityOptions'>(
    context,
    namespaceId,
    execution,
    {
      kind: 'updateActivityOptions',
      activity,
      fields,
      ...(request.restoreOriginal
        ? { originals: await originalOptionsOf(context, namespaceId, execution, activity) }
        : { options: activityOptions ?? {} }),
    },
  );
  return { activityOptions: options };
};
