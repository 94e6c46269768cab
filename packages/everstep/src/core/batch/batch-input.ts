/** What can happen to a batch operation, beside the wake-up that every run knows. */
import type { BatchCursor, BatchTarget } from './batch-state.ts';

/** What became of one run: it is done, it cannot be done, or it is to be tried again. */
export type BatchOutcome = 'completed' | 'failed' | 'again';

export type BatchInput =
  /** A step has listed the next runs. */
  | {
      readonly kind: 'batchListed';
      readonly step: number;
      readonly targets: readonly BatchTarget[];
      readonly cursor?: BatchCursor;
      readonly listed: boolean;
    }
  /** A step has taken the first of what is pending, as many as there are outcomes. */
  | {
      readonly kind: 'batchStepped';
      readonly step: number;
      readonly outcomes: readonly BatchOutcome[];
      readonly nextStepAt: number;
    }
  | { readonly kind: 'stopBatch' };

export interface BatchReplies {
  batchListed: undefined;
  batchStepped: undefined;
  stopBatch: undefined;
}

/** To whoever delivers: does the step. The rest stands in the batch's state. */
export interface BatchMessage {
  readonly kind: 'stepBatch';
  readonly step: number;
}
