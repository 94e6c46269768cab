/** The state of a schedule, as plain data: a run with no history of its own carries it (see schedule.ts). */
import type { temporal } from '@temporalio/proto';
import type { Failure, Payloads, SearchAttributes } from '../proto.ts';

export type WireSchedule = temporal.api.schedule.v1.ISchedule;

export type OverlapPolicy =
  | 'skip'
  | 'bufferOne'
  | 'bufferAll'
  | 'cancelOther'
  | 'terminateOther'
  | 'allowAll'
  /** The schedule's own, looked up when it is needed: a later policy counts for what waits. */
  | 'ofSchedule';

/** A time whose action waits, because another run is open. */
export interface BufferedStart {
  readonly nominalTime: number;
  readonly actualTime: number;
  readonly overlapPolicy: OverlapPolicy;
  /** Triggered or of a backfill: takes place while paused, and uses up no remaining action. */
  readonly manual: boolean;
}

/** An action that was decided: its start is on its way. */
export interface StartingAction {
  readonly actionId: number;
  readonly workflowId: string;
  readonly nominalTime: number;
  readonly actualTime: number;
  /** Started beside others, so that others do not wait for it. */
  readonly overlapping: boolean;
}

interface RunningAction {
  readonly actionId: number;
  readonly workflowId: string;
  /** The first run of its chain. */
  readonly runId: string;
  /** What it was sent to make room for another. */
  readonly ending?: 'cancel' | 'terminate';
}

export interface RecentAction {
  readonly actionId: number;
  readonly workflowId: string;
  readonly runId: string;
  /** By the spec, with jitter. */
  readonly scheduleTime: number;
  readonly actualTime: number;
  readonly status: ActionStatus;
}

export type ActionStatus =
  'running' | 'completed' | 'failed' | 'canceled' | 'terminated' | 'timedOut';

/** What is left of a backfill: nominal times after `after` whose actual time is at most `end`. */
interface Backfill {
  readonly after: number;
  readonly end: number;
  readonly overlapPolicy: OverlapPolicy;
}

export interface ScheduleState {
  /** Where its workflows run; the schedule itself lives beside. */
  readonly namespaceId: string;
  /** In canonical form: spec, action, policies, and the state that users change (paused, notes, remaining actions). */
  readonly schedule: WireSchedule;
  /** As users set them. */
  readonly searchAttributes?: SearchAttributes | undefined;
  /** Grows with every change of `schedule`. */
  readonly conflictToken: number;
  readonly createTime: number;
  /** 0 = never. */
  readonly updateTime: number;
  /** Every nominal time up to this one has been decided (invariant 21). */
  readonly processedTime: number;
  /** When something is to be done next; 0 = nothing. */
  readonly wakeAt: number;
  readonly nextActionId: number;
  readonly actionCount: number;
  readonly missedCatchupWindow: number;
  readonly overlapSkipped: number;
  readonly bufferDropped: number;
  readonly buffered: readonly BufferedStart[];
  readonly backfills: readonly Backfill[];
  readonly starting: readonly StartingAction[];
  readonly running: readonly RunningAction[];
  /** The last ten, oldest first. */
  readonly recent: readonly RecentAction[];
  /** Of updates and patches, the newest last: a repeated request changes nothing. */
  readonly requestIds: readonly string[];
  readonly lastCompletionResult?: Payloads | undefined;
  readonly continuedFailure?: Failure | undefined;
}

/** Kept by a run that a schedule started, along its whole chain: who is told of its end. */
export interface ScheduledBy {
  readonly namespaceId: string;
  /** The schedule's id. */
  readonly workflowId: string;
  readonly runId: string;
  readonly actionId: number;
}
