/** Calls that wait for work, as matching keeps them and as whoever has a task for one sees them. */
import type { Input } from '../core/input.ts';
import type { TaskKind, TaskRow } from '../store/store.ts';
import type { LiveRun } from './unit.ts';

export interface PollRequest {
  readonly namespaceId: string;
  readonly kind: TaskKind;
  readonly taskQueue: string;
  readonly identity: string;
  /** How many tasks a second it asks for at most, where it says so. */
  readonly ratePerSecond?: number | undefined;
  /** The queue is one worker's own. */
  readonly sticky?: boolean;
}

/** A call that waits for work. */
export interface Poller extends PollRequest {
  /** Starts the row's task, its run loaded, and answers the call. False: it is gone, give me another. */
  readonly take: (row: TaskRow, run: LiveRun) => Promise<boolean>;
  /** The start of a task that is for this call, for whoever puts it into a commit. */
  readonly startOf: (task: Startable) => Input;
  /** A commit with that start is under way, so the call does not end now. */
  readonly hold: () => void;
  /** Answers the call with the task that was started for it. False: it waits on. */
  readonly give: (run: LiveRun, task: Startable, reply: unknown) => Promise<boolean>;
  /** That commit was lost. */
  readonly letGo: () => void;
  /** A query that only this queue's pollers can answer (workflow queues). */
  readonly takeQuery?: (query: QueryTask) => void;
}

/** A queue's row, or the task that would become one. */
export type Startable = Pick<TaskRow, 'scheduledEventId' | 'stamp'>;

export interface QueryTask {
  readonly queryId: string;
  readonly run: LiveRun;
  readonly message: unknown;
}

/** Where calls that wait are found. */
export interface Polls {
  /**
   * A call that waits for such a task, which is given to it in the very commit that makes it and needs no row. Not
   * while there may be rows: they were there first. It is to be answered or returned.
   */
  takePoller(namespaceId: string, kind: TaskKind, taskQueue: string): Poller | undefined;
  answered(poller: Poller): void;
  returnPoller(poller: Poller): void;
}
