/** The start that a schedule's action makes (SC-1), and what lists find schedules and their workflows by. */
import proto from '@temporalio/proto';
import type { StartRequest } from '../input.ts';
import type { Payload, SearchAttributes } from '../proto.ts';
import { isoSecondOf } from './calendar.ts';
import type { ScheduleState, StartingAction, WireSchedule } from './schedule-state.ts';

const { WorkflowIdReusePolicy } = proto.temporal.api.enums.v1;
const encoder = new TextEncoder();

/** SC-1. */
export function scheduledWorkflowId(
  { action, policies }: WireSchedule,
  nominalTime: number,
): string {
  const base = action?.startWorkflow?.workflowId ?? '';
  return policies?.keepOriginalWorkflowId ? base : `${base}-${isoSecondOf(nominalTime)}`;
}

export function scheduledStart(
  schedule: { readonly scheduleId: string; readonly runId: string; readonly namespace: string },
  s: ScheduleState,
  { actionId, workflowId, nominalTime, overlapping }: StartingAction,
): StartRequest {
  const { scheduleId, namespace } = schedule;
  const workflow = s.schedule.action?.startWorkflow ?? {};
  return {
    namespace,
    workflowId,
    workflowType: workflow.workflowType ?? null,
    taskQueue: workflow.taskQueue ?? null,
    input: workflow.input ?? null,
    workflowExecutionTimeout: workflow.workflowExecutionTimeout ?? null,
    workflowRunTimeout: workflow.workflowRunTimeout ?? null,
    workflowTaskTimeout: workflow.workflowTaskTimeout ?? null,
    retryPolicy: workflow.retryPolicy ?? null,
    memo: workflow.memo ?? null,
    header: workflow.header ?? null,
    userMetadata: workflow.userMetadata ?? null,
    priority: workflow.priority ?? null,
    versioningOverride: workflow.versioningOverride ?? null,
    identity: `temporal-scheduler-${namespace}-${scheduleId}`,
    requestId: `${schedule.runId}:${actionId}`,
    // A backfill may take a time once more whose run has ended.
    workflowIdReusePolicy: WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
    searchAttributes: {
      indexedFields: {
        ...workflow.searchAttributes?.indexedFields,
        TemporalScheduledById: payloadOf('Keyword', scheduleId),
        TemporalScheduledStartTime: payloadOf('Datetime', isoSecondOf(nominalTime)),
      },
    },
    // Of runs that were started beside others, none is the last before another (SC-2).
    ...(!overlapping && {
      lastCompletionResult: s.lastCompletionResult ?? null,
      continuedFailure: s.continuedFailure ?? null,
    }),
  };
}

const pausedAttribute = 'TemporalSchedulePaused';

/** What a schedule is listed by: its own attributes and whether it is paused. The same object while that holds. */
export function scheduleAttributes(
  { searchAttributes, schedule }: ScheduleState,
  previous: SearchAttributes | undefined,
): SearchAttributes {
  const paused = schedule.state?.paused === true;
  const known = previous && made.get(previous);
  if (previous && known?.own === searchAttributes && known?.paused === paused) return previous;
  const attributes: SearchAttributes = {
    indexedFields: {
      ...searchAttributes?.indexedFields,
      [pausedAttribute]: payloadOf('Bool', paused),
    },
  };
  made.set(attributes, { own: searchAttributes, paused });
  return attributes;
}

const made = new WeakMap<
  SearchAttributes,
  { readonly own: SearchAttributes | undefined; readonly paused: boolean }
>();

function payloadOf(type: string, value: string | boolean): Payload {
  return {
    metadata: { encoding: encoder.encode('json/plain'), type: encoder.encode(type) },
    data: encoder.encode(JSON.stringify(value)),
  };
}
