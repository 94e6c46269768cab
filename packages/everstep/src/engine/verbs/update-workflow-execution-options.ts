import { runOptionFields } from '../../core/run-option-field.ts';
import { timestampOf } from '../../core/time.ts';
import { maskedFields } from '../field-mask.ts';
import type { Verb } from '../verb.ts';
import { invalid, submitToNamed } from './request-run.ts';

/** The priority; there is no worker versioning, and time is skipped by `everstep/testing` only. */
export const updateWorkflowExecutionOptions: Verb<'updateWorkflowExecutionOptions'> = async (
  context,
  request,
) => {
  const { namespaceId } = await context.namespaces.get(request.namespace);
  const fields = maskedFields(request.updateMask?.paths, runOptionFields);
  if (fields.length === 0) throw invalid('UpdateMask is not set on request.');
  const { priority } = await submitToNamed<'updateRunOptions'>(
    context,
    namespaceId,
    request.workflowExecution,
    {
      kind: 'updateRunOptions',
      fields,
      priority: request.workflowExecutionOptions?.priority ?? null,
      identity: request.identity ?? '',
    },
  );
  return {
    workflowExecutionOptions: { priority },
    updateTime: timestampOf(context.clock.now()),
  };
};
