/** A schedule as describe and list show it. */
import type { temporal } from '@temporalio/proto';
import { futureTimes } from '../core/schedule/schedule-times.ts';
import type { RecentAction, ScheduleState } from '../core/schedule/schedule-state.ts';
import { longOf, timestampOf } from '../core/time.ts';
import { statusToWire } from './run-info.ts';

type ScheduleInfo = temporal.api.schedule.v1.IScheduleInfo;
type ScheduleListInfo = temporal.api.schedule.v1.IScheduleListInfo;

const futureTimesMax = 10;
/** Lists show fewer. */
const listedMax = 5;

export function scheduleInfoOf(scheduleId: string, s: ScheduleState, now: number): ScheduleInfo {
  return {
    actionCount: longOf(s.actionCount),
    missedCatchupWindow: longOf(s.missedCatchupWindow),
    overlapSkipped: longOf(s.overlapSkipped),
    bufferDropped: longOf(s.bufferDropped),
    bufferSize: longOf(s.buffered.length),
    runningWorkflows: s.running.map(({ workflowId, runId }) => ({ workflowId, runId })),
    recentActions: s.recent.map(recentActionOf),
    futureActionTimes: futureTimes(scheduleId, s, now, futureTimesMax).map(timestampOf),
    createTime: timestampOf(s.createTime),
    ...(s.updateTime > 0 && { updateTime: timestampOf(s.updateTime) }),
  };
}

export function scheduleListInfoOf(
  scheduleId: string,
  s: ScheduleState,
  now: number,
): ScheduleListInfo {
  const { spec, action, state } = s.schedule;
  return {
    spec: spec ?? null,
    workflowType: action?.startWorkflow?.workflowType ?? null,
    notes: state?.notes ?? '',
    paused: state?.paused ?? false,
    recentActions: s.recent.slice(-listedMax).map(recentActionOf),
    futureActionTimes: futureTimes(scheduleId, s, now, listedMax).map(timestampOf),
  };
}

function recentActionOf(action: RecentAction): temporal.api.schedule.v1.IScheduleActionResult {
  return {
    scheduleTime: timestampOf(action.scheduleTime),
    actualTime: timestampOf(action.actualTime),
    startWorkflowResult: { workflowId: action.workflowId, runId: action.runId },
    startWorkflowStatus: statusToWire[action.status],
  };
}
