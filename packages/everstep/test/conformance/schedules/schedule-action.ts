/** The words of a script about schedules. Specs are written down: what they mean is compared, not how they are sent. */
import type { temporal } from '@temporalio/proto';

export type WireSpec = temporal.api.schedule.v1.IScheduleSpec;

/** What a request has that it should not, or lacks. */
export type ScheduleFlaw = 'noType' | 'noQueue' | 'cron' | 'reusePolicy' | 'negative';

export interface ScheduleOptions {
  readonly spec: WireSpec;
  readonly overlap: number;
  readonly catchupSeconds?: number;
  readonly pauseOnFailure?: boolean;
  readonly paused?: boolean;
  readonly notes?: string;
  /** Present, only so many actions remain. */
  readonly remaining?: number;
  readonly memo?: boolean;
  readonly attributes?: boolean;
  readonly flaw?: ScheduleFlaw;
}

/** Nominal times follow from the step, so that they are the same everywhere. */
export type SchedulePatch =
  | { readonly patch: 'pause' | 'unpause' }
  | { readonly patch: 'trigger'; readonly overlap: number }
  /** Now, whenever that is. */
  | { readonly patch: 'triggerNow'; readonly overlap: number }
  | {
      readonly patch: 'backfill';
      readonly hours: number;
      readonly overlap: number;
    };

export type RunAnswer = 'complete' | 'fail' | 'cancel' | 'terminate';

export type ScheduleAction =
  | {
      readonly do: 'create';
      readonly schedule: number;
      readonly options: ScheduleOptions;
      readonly requestId?: number;
      readonly patch?: SchedulePatch;
      /** Of the schedule itself. */
      readonly memo?: boolean;
      readonly attributes?: boolean;
    }
  | {
      readonly do: 'update';
      readonly schedule: number;
      readonly options: ScheduleOptions;
      readonly token: 'none' | 'fresh';
      readonly attributes?: boolean;
    }
  | { readonly do: 'patch'; readonly schedule: number; readonly patch: SchedulePatch }
  | {
      readonly do: 'matchingTimes';
      readonly schedule: number;
      /** Counts from a day in the past. */
      readonly fromDay: number;
      readonly hours: number;
      readonly lacks?: 'start' | 'end';
    }
  | { readonly do: 'delete'; readonly schedule: number }
  /** A worker, or an operator, ends one of the runs that are open. */
  | {
      readonly do: 'finish';
      readonly schedule: number;
      readonly pick: number;
      readonly answer: RunAnswer;
    };

export type ScheduleScript = readonly ScheduleAction[];
