import { activityOptionFields } from '../../core/activity-option-field.ts';
import { TaskQueueKind } from '../../core/proto.ts';
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
  // As the server: a checked queue has its kind, one that is only set back has its name.
  if (request.restoreOriginal || !options.taskQueue) return { activityOptions: options };
  return {
    activityOptions: {
      ...options,
      taskQueue: { ...options.taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
    },
  };
};
