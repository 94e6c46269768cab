/** What is wrong with a schedule that is created or put in place of another, and its canonical form. */
import proto from '@temporalio/proto';
import type { CoreEnv } from '../draft.ts';
import { idNotStorable, idTooLong } from '../id-length.ts';
import { refuse } from '../answer.ts';
import { validateStart } from '../start-request.ts';
import type { Refusal } from '../refusal.ts';
import { msOfDuration, msOfTimestamp, numberOf } from '../time.ts';
import type { WirePatch } from './schedule-input.ts';
import { canonicalPolicies, isOverlapPolicy } from './schedule-policies.ts';
import { canonicalSpec } from './schedule-spec.ts';
import type { WireSchedule } from './schedule-state.ts';
import { scheduledWorkflowId } from './scheduled-start.ts';

const { TaskQueueKind } = proto.temporal.api.enums.v1;
type TaskQueue = proto.temporal.api.taskqueue.v1.ITaskQueue;

export type CheckedSchedule =
  | { readonly ok: true; readonly value: WireSchedule }
  | { readonly ok: false; readonly refusal: Refusal };

export function scheduleIdProblem(
  scheduleId: string,
  { limits }: Pick<CoreEnv, 'limits'>,
): Refusal | undefined {
  if (scheduleId === '') return invalid('schedule_id is not set on request.');
  if (idNotStorable(scheduleId)) return invalid('schedule_id holds NUL or a lone surrogate.');
  return idTooLong(scheduleId, limits)
    ? invalid(`schedule_id exceeds the length limit of ${limits.idBytesMax} bytes.`)
    : undefined;
}

export function checkSchedule(
  schedule: WireSchedule | null | undefined,
  env: Pick<CoreEnv, 'limits' | 'now'>,
): CheckedSchedule {
  if (!schedule) return refused('schedule is not set on request.');
  const spec = canonicalSpec(schedule.spec ?? {});
  if (!spec.ok) return refused(`Invalid schedule spec: ${spec.problem}`);
  const { action, policies, state } = schedule;
  const workflow = action?.startWorkflow;
  if (!workflow)
    return refused('schedule.action.start_workflow is not set: it is the only action.');
  if (workflow.cronSchedule) {
    return refused('schedule action must not contain CronSchedule: put it into schedule.spec.');
  }
  // The default of that field too says what an action does, so SDKs may send it.
  if ((workflow.workflowIdReusePolicy ?? 0) > 1) {
    return refused('schedule action must not contain WorkflowIDReusePolicy.');
  }
  const start = validateStart(
    {
      ...workflow,
      workflowIdReusePolicy: null,
      workflowId: workflow.workflowId ? scheduledWorkflowId(schedule, env.now) : '',
    },
    env,
  );
  if (start) return { ok: false, refusal: start };
  if (!isOverlapPolicy(policies?.overlapPolicy)) return refused('unknown overlap policy');
  if (msOfDuration(policies?.catchupWindow) < 0) return refused('catchup_window is negative.');
  if (numberOf(state?.remainingActions) < 0) return refused('remaining_actions is negative.');
  return {
    ok: true,
    value: {
      spec: spec.value,
      action: { startWorkflow: { ...workflow, taskQueue: normalQueue(workflow.taskQueue) } },
      policies: canonicalPolicies(policies),
      state: state ?? {},
    },
  };
}

function normalQueue(taskQueue: TaskQueue | null | undefined): TaskQueue {
  return { ...taskQueue, kind: TaskQueueKind.TASK_QUEUE_KIND_NORMAL };
}

export function patchProblem(patch: WirePatch | null | undefined): Refusal | undefined {
  if (!patch) return undefined;
  const { triggerImmediately, backfillRequest } = patch;
  if (!isOverlapPolicy(triggerImmediately?.overlapPolicy)) {
    return invalid('patch.trigger_immediately has an unknown overlap policy.');
  }
  for (const { startTime, endTime, overlapPolicy } of backfillRequest ?? []) {
    if (!startTime || !endTime) {
      return invalid('patch.backfill_request needs both start_time and end_time.');
    }
    if (msOfTimestamp(endTime) < msOfTimestamp(startTime)) {
      return invalid('patch.backfill_request has an end_time before its start_time.');
    }
    if (!isOverlapPolicy(overlapPolicy)) {
      return invalid('patch.backfill_request has an unknown overlap policy.');
    }
  }
  return undefined;
}

function invalid(message: string): Refusal {
  return refuse('INVALID_ARGUMENT', message).refusal;
}

function refused(message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: invalid(message) };
}
