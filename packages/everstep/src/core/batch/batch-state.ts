/** What a batch operation knows: all of its life is the `batch` field of its run's state (see batch.ts). */
import type { temporal } from '@temporalio/proto';

export type WireBatch = temporal.api.workflowservice.v1.IStartBatchOperationRequest;

export type BatchOperation =
  | 'terminate'
  | 'cancel'
  | 'signal'
  | 'delete'
  | 'reset'
  | 'unpauseActivities'
  | 'resetActivities'
  | 'updateActivityOptions'
  | 'updateOptions';

export interface BatchTarget {
  readonly workflowId: string;
  /** Empty = the current run. */
  readonly runId: string;
  readonly attempts: number;
}

/** Where the list of a query goes on: by start time, then the store's handle, both descending. */
export interface BatchCursor {
  readonly startTime: number;
  readonly ref: number;
}

export interface BatchState {
  /** Of the workflows; the batch itself stands in a namespace id of its own. */
  readonly namespaceId: string;
  readonly request: WireBatch;
  readonly operation: BatchOperation;
  readonly identity: string;
  /** Steps are numbered, so that one that is done twice counts once. */
  readonly step: number;
  /** The message that does the step is on its way. */
  readonly stepping: boolean;
  /** When the next step may begin; 0 = at once. */
  readonly wakeAt: number;
  /** An estimate until everything is listed. */
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  /** There is nothing more to list. */
  readonly listed: boolean;
  readonly cursor: BatchCursor | undefined;
  /** Listed, and not yet done. */
  readonly pending: readonly BatchTarget[];
}
