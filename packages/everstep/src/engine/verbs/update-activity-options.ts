import { activityOptionFields } from '../../core/activity-option-field.ts';
import type { ActivityOptionField } from '../../core/activity-option-field.ts';
import { originalOptionsOf, selectorOf } from '../activity-selector.ts';
import type { Verb } from '../verb.ts';
import { invalid, submitToNamed } from './request-run.ts';

/** AC-15: the fields that the mask names, or all of them back to what they were. */
export const updateActivityOptions: Verb<'updateActivityOptions'> = async (context, request) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const { execution, activityOptions } = request;
  const fields = fieldsOf(request.updateMask?.paths ?? []);
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

/** Masks name fields as the wire does, `retry_policy.maximum_attempts`, or in camel case. */
function fieldsOf(paths: readonly string[]): ActivityOptionField[] {
  return paths.map((path) => {
    const name = path.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const field = activityOptionFields.find((known) => known === name);
    if (field !== undefined) return field;
    throw invalid(
      `UpdateMask names ${path}, which is no option that can be updated; expected ${activityOptionFields.join(', ')}.`,
    );
  });
}
