/** What can happen to a schedule, beside the wake-up that every run knows. */
import type { temporal } from '@temporalio/proto';
import type { HistoryEvent, Memo, SearchAttributes } from '../proto.ts';
import type { WireSchedule } from './schedule-state.ts';

export type WirePatch = temporal.api.schedule.v1.ISchedulePatch;

export type ScheduleInput =
  | {
      readonly kind: 'updateSchedule';
      /** In canonical form (see schedule-request.ts). */
      readonly schedule: WireSchedule;
      /** 0 = whatever it is. */
      readonly conflictToken: number;
      readonly requestId: string;
      /** Absent: left as they are. */
      readonly searchAttributes?: SearchAttributes;
      readonly memo?: Memo;
    }
  | { readonly kind: 'patchSchedule'; readonly patch: WirePatch; readonly requestId: string }
  | { readonly kind: 'deleteSchedule' }
  /** An action's start was delivered: `runId`, or that it was refused for good. */
  | { readonly kind: 'scheduledStarted'; readonly actionId: number; readonly runId?: string }
  /** A started workflow's chain has ended with that event. */
  | {
      readonly kind: 'scheduledClosed';
      readonly actionId: number;
      readonly workflowId: string;
      readonly firstRunId: string;
      readonly closeEvent: HistoryEvent;
    };

export interface ScheduleReplies {
  updateSchedule: undefined;
  patchSchedule: undefined;
  deleteSchedule: undefined;
  scheduledStarted: undefined;
  scheduledClosed: undefined;
}

/** Messages between a schedule and the workflows it starts. */
export type ScheduleMessage =
  /** The rest stands in the schedule's state. */
  | { readonly kind: 'startScheduled'; readonly actionId: number }
  /** SC-2, to the chain that this action started. */
  | {
      readonly kind: 'endScheduled';
      readonly actionId: number;
      readonly workflowId: string;
      readonly how: 'cancel' | 'terminate';
    }
  /**
   * From the first run of a chain to the schedule in state.scheduledBy. It is of that run's first commit, which uses
   * up the message that started it: an action whose run has ended is not started again (SC-1).
   */
  | { readonly kind: 'notifyScheduleOfStart' }
  /** From a workflow to the schedule in state.scheduledBy; the close event is its last event. */
  | { readonly kind: 'notifySchedule' };
