/** What the commands of a workflow task do to a run of the model, and what they send to other runs. */
import type { ScriptCommand } from '../scripts/action.ts';
import type { ModelActivity, ModelEvent, ModelRun, RunSettings } from './model-run.ts';
import { backoff } from './model-run.ts';

/** What happens outside the run once the completion holds. */
export type Message =
  | { readonly kind: 'startChild'; readonly initiated: number; readonly command: ChildCommand }
  | {
      readonly kind: 'signal' | 'cancel';
      readonly initiated: number;
      readonly workflow: number;
      readonly childOnly: boolean;
    };
type ChildCommand = Extract<ScriptCommand, { command: 'startChild' }>;

export interface CommandOutcome {
  /** Of the workflow task, when the command is bad. */
  readonly cause?: string;
  readonly message?: Message;
  /** An activity ended at once: written after all commands, and the worker must be told (WT-22). */
  readonly ended?: ModelEvent;
  readonly close?: {
    readonly type: string;
    readonly status: string;
    readonly fields: object;
    readonly next?: RunSettings;
  };
}

const done: CommandOutcome = {};
const bad = (attributes: string): CommandOutcome => ({
  cause: `WORKFLOW_TASK_FAILED_CAUSE_BAD_${attributes}_ATTRIBUTES`,
});
const childPolicies = ['terminate', 'terminate', 'abandon', 'cancel'] as const;

export function applyCommand(
  run: ModelRun,
  command: ScriptCommand,
  completed: number,
  now: number,
  scheduled: (pick: number) => number,
): CommandOutcome {
  const of = { workflowTaskCompletedEventId: completed };
  switch (command.command) {
    case 'scheduleActivity':
      return scheduleActivity(run, command, of, now);
    case 'cancelActivity':
      return cancelActivity(run, scheduled(command.pick), of);
    case 'startTimer': {
      if (command.flaw !== undefined) return bad('START_TIMER');
      const timerId = `timer-${command.timer}`;
      if (run.timers.has(timerId)) {
        return { cause: 'WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID' };
      }
      const started = run.write('TimerStarted', { timerId, ...of }, true);
      run.timers.set(timerId, { started, due: now + command.seconds * 1_000 });
      return done;
    }
    case 'cancelTimer':
      return cancelTimer(run, command.flaw ? '' : `timer-${command.timer}`, of);
    case 'startChild': {
      if (command.flaw && !(command.flaw === 'negative' && command.runTimeout === undefined)) {
        return bad('START_CHILD_EXECUTION');
      }
      const initiated = run.write('StartChildWorkflowExecutionInitiated', of, true);
      const policy = childPolicies[command.parentClosePolicy] ?? 'terminate';
      const { workflow } = command;
      run.children.set(initiated, { workflow, initiated, started: 0, run: undefined, policy });
      return { message: { kind: 'startChild', initiated, command } };
    }
    case 'signalExternal':
      if (command.flaw) return bad('SIGNAL_WORKFLOW_EXECUTION');
      return send(run, 'signal', command, of);
    case 'cancelExternal':
      if (command.flaw && command.flaw !== 'noType') {
        return bad('REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION');
      }
      return send(run, 'cancel', command, of);
    case 'marker':
      if (command.flaw) return bad('RECORD_MARKER');
      run.write('MarkerRecorded', of, true);
      return done;
    case 'completeUpdate':
      throw new RangeError('The model does not know updates');
    case 'upsertMemo':
      run.write('WorkflowPropertiesModified', of, true);
      return done;
    case 'upsertAttributes':
      run.write('UpsertWorkflowSearchAttributes', of, true);
      return done;
    case 'complete':
      return close(run, 'WorkflowExecutionCompleted', 'COMPLETED', of);
    case 'fail': {
      if (command.flaw) return bad('FAIL_WORKFLOW_EXECUTION');
      const failure = { type: 'Wrong', nonRetryable: command.nonRetryable };
      const answer = retryRun(run, failure, now);
      return close(
        run,
        'WorkflowExecutionFailed',
        'FAILED',
        { ...of, ...answer.fields },
        answer.next,
      );
    }
    case 'cancel':
      return close(run, 'WorkflowExecutionCanceled', 'CANCELED', of);
    case 'continueAsNew': {
      if (command.flaw === 'negative' && !command.bare) return bad('CONTINUE_AS_NEW');
      const { settings } = run;
      const runTimeoutMs = command.bare ? settings.runTimeoutMs : 2_000_000;
      return close(run, 'WorkflowExecutionContinuedAsNew', 'CONTINUED_AS_NEW', of, {
        ...settings,
        requestId: '',
        attempt: 1,
        backoffMs: (command.backoffSeconds ?? 0) * 1_000,
        runTimeoutMs: shorter(runTimeoutMs, settings.executionTimeoutMs),
        retry: command.retry,
      });
    }
  }
}

/** CN-2. */
export function retryRun(
  run: ModelRun,
  failure: { readonly type: string; readonly nonRetryable?: boolean },
  now: number,
): { readonly fields: object; readonly next?: RunSettings } {
  const { settings } = run;
  if (!settings.retry) return { fields: { retryState: 'RETRY_STATE_RETRY_POLICY_NOT_SET' } };
  const answer = backoff(settings.retry, settings.attempt, failure, now, settings.expiresAt);
  if (typeof answer === 'string') return { fields: { retryState: answer } };
  const attempt = settings.attempt + 1;
  return {
    fields: { retryState: 'RETRY_STATE_IN_PROGRESS' },
    next: { ...settings, requestId: '', attempt, backoffMs: answer },
  };
}

/** 0 is no limit. */
export function shorter(a: number, b: number): number {
  return a === 0 ? b : b === 0 ? a : Math.min(a, b);
}

/** WT-16. */
function close(
  run: ModelRun,
  type: string,
  status: string,
  fields: object,
  next?: RunSettings,
): CommandOutcome {
  if (run.buffer.length > 0) return { cause: 'WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND' };
  return { close: { type, status, fields, ...(next && { next }) } };
}

/** AC-1, AC-3. */
function scheduleActivity(
  run: ModelRun,
  command: Extract<ScriptCommand, { command: 'scheduleActivity' }>,
  of: object,
  now: number,
): CommandOutcome {
  const ms = (seconds: number | undefined): number => (seconds ?? 0) * 1_000;
  const toClose = ms(command.scheduleToClose);
  const toStart = ms(command.scheduleToStart);
  const startToClose = ms(command.startToClose);
  const timeless = command.flaw === 'noTimeout' || (toClose === 0 && startToClose === 0);
  const negative = command.flaw === 'negative' && toClose + toStart + startToClose > 0;
  const nameless = command.flaw && !['noTimeout', 'negative'].includes(command.flaw);
  if (timeless || negative || nameless) return bad('SCHEDULE_ACTIVITY');
  const activityId = `activity-${command.activity}`;
  if (run.activityById(activityId)) {
    return { cause: 'WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID' };
  }
  const { runTimeoutMs } = run.settings;
  const whole = shorter(toClose || runTimeoutMs, runTimeoutMs);
  const capped = (span: number): number => shorter(span || whole, whole);
  const scheduled = run.write('ActivityTaskScheduled', { activityId, ...of }, true);
  const activity: ModelActivity = {
    activityId,
    scheduled,
    firstScheduledAt: now,
    scheduledAt: now,
    startedAt: undefined,
    heartbeatAt: 0,
    attempt: 1,
    cancelRequested: 0,
    scheduleToClose: whole,
    scheduleToStart: capped(toStart),
    startToClose: capped(startToClose),
    heartbeat: command.heartbeat ? shorter(ms(command.heartbeat), capped(startToClose)) : 0,
    retry: command.retry ?? { attempts: 0, intervalSeconds: 1 },
  };
  run.activities.set(scheduled, activity);
  return done;
}

/** AC-13. */
function cancelActivity(run: ModelRun, scheduled: number, of: object): CommandOutcome {
  const activity = run.activities.get(scheduled);
  if (!activity || activity.cancelRequested > 0) return bad('REQUEST_CANCEL_ACTIVITY');
  const fields = { scheduledEventId: scheduled, ...of };
  activity.cancelRequested = run.write('ActivityTaskCancelRequested', fields, true);
  if (activity.startedAt !== undefined) return done;
  run.activities.delete(scheduled);
  const latestCancelRequestedEventId = activity.cancelRequested;
  return {
    ended: {
      type: 'ActivityTaskCanceled',
      scheduledEventId: scheduled,
      latestCancelRequestedEventId,
    },
  };
}

/** WT-18. */
function cancelTimer(run: ModelRun, timerId: string, of: object): CommandOutcome {
  const timer = run.timers.get(timerId);
  const fired = run.buffer.findIndex((event) => event['timerId'] === timerId);
  const started = timer?.started ?? Number(run.buffer[fired]?.['startedEventId'] ?? 0);
  if (started === 0) return bad('CANCEL_TIMER');
  if (!timer) run.buffer = run.buffer.filter((_, index) => index !== fired);
  run.timers.delete(timerId);
  run.write('TimerCanceled', { timerId, startedEventId: started, ...of }, true);
  return done;
}

function send(
  run: ModelRun,
  kind: 'signal' | 'cancel',
  command: { readonly workflow: number; readonly childOnly: boolean },
  of: Omit<ModelEvent, 'type'>,
): CommandOutcome {
  const type =
    kind === 'signal'
      ? 'SignalExternalWorkflowExecutionInitiated'
      : 'RequestCancelExternalWorkflowExecutionInitiated';
  const initiated = run.write(type, of, true);
  run.outgoing.add(initiated);
  const { workflow, childOnly } = command;
  return { message: { kind, initiated, workflow, childOnly } };
}
