/**
 * The words of a script: what clients and workers do, in terms that mean the same on every target. Workflows,
 * activities and timers are small numbers; which run, token or event is meant is found out while the script runs.
 */

/** What a command or a request has that it should not, or lacks. */
export type Flaw = 'noId' | 'noType' | 'noTimeout' | 'negative' | 'longId' | 'reserved';

export interface RetryOptions {
  readonly attempts: number;
  readonly intervalSeconds: number;
  readonly coefficient?: number;
  readonly maximumSeconds?: number;
  readonly nonRetryable?: readonly string[];
}

export type ScriptCommand =
  | {
      readonly command: 'scheduleActivity';
      readonly activity: number;
      readonly scheduleToClose?: number;
      readonly scheduleToStart?: number;
      readonly startToClose?: number;
      readonly heartbeat?: number;
      readonly retry?: RetryOptions;
      readonly flaw?: Flaw;
    }
  | { readonly command: 'cancelActivity'; readonly pick: number }
  | {
      readonly command: 'startTimer';
      readonly timer: number;
      readonly seconds: number;
      readonly flaw?: Flaw;
    }
  | { readonly command: 'cancelTimer'; readonly timer: number; readonly flaw?: Flaw }
  | {
      readonly command: 'startChild';
      readonly workflow: number;
      readonly parentClosePolicy: number;
      readonly reusePolicy: number;
      readonly runTimeout?: number;
      readonly retry?: RetryOptions;
      readonly cron?: string;
      readonly flaw?: Flaw;
    }
  | {
      readonly command: 'signalExternal' | 'cancelExternal';
      readonly workflow: number;
      readonly childOnly: boolean;
      readonly flaw?: Flaw;
    }
  | { readonly command: 'marker'; readonly flaw?: Flaw }
  | { readonly command: 'upsertMemo'; readonly key: number; readonly empty: boolean }
  | { readonly command: 'upsertAttributes'; readonly key: number; readonly flaw?: Flaw }
  /** Answers an update that was accepted in an earlier task; none when there is none. */
  | { readonly command: 'completeUpdate'; readonly pick: number }
  | { readonly command: 'complete'; readonly empty: boolean }
  | { readonly command: 'fail'; readonly nonRetryable: boolean; readonly flaw?: Flaw }
  | { readonly command: 'cancel' }
  | {
      readonly command: 'continueAsNew';
      readonly bare: boolean;
      readonly backoffSeconds?: number;
      readonly retry?: RetryOptions;
      readonly cron?: string;
      readonly flaw?: Flaw;
    };

export interface StartOptions {
  readonly requestId?: number;
  readonly reusePolicy?: number;
  readonly conflictPolicy?: number;
  readonly delaySeconds?: number;
  readonly executionTimeout?: number;
  readonly runTimeout?: number;
  readonly taskTimeout?: number;
  readonly retry?: RetryOptions;
  readonly cron?: string;
  readonly memo?: boolean;
  readonly attributes?: boolean;
  readonly header?: boolean;
  readonly flaw?: Flaw;
}

/** What the worker makes of an update. */
export type UpdateAnswer = 'complete' | 'accept' | 'reject';

export type ActivityControl = 'pause' | 'unpause' | 'reset' | 'updateOptions' | 'restoreOptions';

export type ActivityAnswer = 'complete' | 'fail' | 'cancel' | 'heartbeat';

export type BatchOperation = 'terminate' | 'cancel' | 'signal' | 'delete' | 'reset';

/** `run` counts back from the latest known run; absent, the request names no run. */
export type Action =
  | { readonly do: 'start'; readonly workflow: number; readonly options: StartOptions }
  | {
      readonly do: 'signalWithStart';
      readonly workflow: number;
      readonly options: StartOptions;
      readonly signal: number;
    }
  | { readonly do: 'poll'; readonly workflow: number }
  | {
      readonly do: 'completeTask';
      readonly workflow: number;
      readonly commands: readonly ScriptCommand[];
      readonly force: boolean;
      readonly returnNew: boolean;
      /** Which token, counted back from the latest. */
      readonly token: number;
      /** From now on its tasks go to the worker's own queue. */
      readonly sticky?: boolean;
    }
  | { readonly do: 'resetSticky'; readonly workflow: number; readonly run?: number }
  | {
      readonly do: 'failTask';
      readonly workflow: number;
      readonly cause: number;
      readonly token: number;
    }
  | { readonly do: 'pollActivity'; readonly workflow: number; readonly activity: number }
  | {
      readonly do: 'answerActivity';
      readonly workflow: number;
      readonly activity: number;
      readonly answer: ActivityAnswer;
      readonly byId: boolean;
      readonly token: number;
      readonly failure: number;
    }
  | {
      readonly do: 'controlActivity';
      readonly workflow: number;
      readonly activity: number;
      readonly control: ActivityControl;
      /** All of its type instead of the one. */
      readonly byType: boolean;
      /** What it means depends on the control: see StepWorker. */
      readonly first: boolean;
      readonly second: boolean;
    }
  | {
      readonly do: 'signal';
      readonly workflow: number;
      readonly signal: number;
      readonly requestId?: number;
      readonly run?: number;
      readonly flaw?: Flaw;
    }
  | {
      readonly do: 'cancel';
      readonly workflow: number;
      readonly requestId?: number;
      readonly run?: number;
    }
  | { readonly do: 'terminate'; readonly workflow: number; readonly run?: number }
  | {
      readonly do: 'reset';
      readonly workflow: number;
      readonly pick: number;
      readonly requestId?: number;
      readonly reapply: number;
      readonly run?: number;
    }
  | { readonly do: 'delete'; readonly workflow: number; readonly run?: number }
  | {
      readonly do: 'batch';
      readonly workflow: number;
      /** All workflows of the script instead of the one. */
      readonly all: boolean;
      readonly operation: BatchOperation;
      /** Found by a query instead of named. */
      readonly byQuery: boolean;
    }
  | {
      readonly do: 'query';
      readonly workflow: number;
      readonly reject: number;
      readonly fails: boolean;
    }
  | {
      readonly do: 'update';
      readonly workflow: number;
      readonly update: number;
      readonly answer: UpdateAnswer;
      readonly stage: number;
      readonly run?: number;
      readonly flaw?: Flaw;
    }
  | {
      readonly do: 'pollUpdate';
      readonly workflow: number;
      readonly update: number;
      readonly run?: number;
    }
  | {
      readonly do: 'history';
      readonly workflow: number;
      readonly pageSize: number;
      readonly reverse: boolean;
      readonly closeOnly: boolean;
      readonly run?: number;
    };

export type Script = readonly Action[];
