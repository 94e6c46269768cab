/**
 * One run of the reference model: the rules of docs/internals/execution-core.md told a second time, in the plainest
 * way, without the engine's core. Events hold only the fields that projection.ts compares. Nothing here is quick or
 * complete; what it leaves out (cron, reset, sticky queues, queries), the scripts leave out too.
 */
import type { RetryOptions } from '../scripts/action.ts';

export interface ModelEvent {
  readonly type: string;
  /** Of an activity's or a child's close: whose start it names once that is known (WT-34). */
  readonly startedOf?: string;
  readonly [field: string]: string | number | undefined;
}

export interface ModelTask {
  scheduled: number;
  /** 0 until a worker has it. */
  started: number;
  readonly attempt: number;
  startedAt: number;
}

export interface ModelActivity {
  readonly activityId: string;
  readonly scheduled: number;
  readonly firstScheduledAt: number;
  scheduledAt: number;
  startedAt: number | undefined;
  heartbeatAt: number;
  attempt: number;
  cancelRequested: number;
  readonly scheduleToClose: number;
  readonly scheduleToStart: number;
  readonly startToClose: number;
  readonly heartbeat: number;
  readonly retry: RetryOptions;
}

export interface ModelChild {
  readonly workflow: number;
  readonly initiated: number;
  started: number;
  run: ModelRun | undefined;
  readonly policy: 'terminate' | 'abandon' | 'cancel';
}

export interface RunSettings {
  readonly requestId: string;
  readonly attempt: number;
  readonly backoffMs: number;
  readonly runTimeoutMs: number;
  readonly executionTimeoutMs: number;
  /** Epoch milliseconds, 0 without. */
  readonly expiresAt: number;
  readonly taskTimeoutMs: number;
  readonly retry: RetryOptions | undefined;
  readonly parent: { readonly run: ModelRun; readonly initiated: number } | undefined;
}

/** WT-33: what is written although a workflow task is started. */
const neverBuffered = /^Workflow(Task|ExecutionTerminated|ExecutionTimedOut)/;
/** WT-34: these move to the end of the buffer. */
const closes =
  /^(ActivityTask(Completed|Failed|TimedOut|Canceled)|ChildWorkflowExecution(Completed|Failed|Canceled|TimedOut|Terminated))$/;

export class ModelRun {
  readonly workflow: number;
  readonly settings: RunSettings;
  readonly startedAt: number;
  events: ModelEvent[] = [];
  buffer: ModelEvent[] = [];
  status = 'RUNNING';
  task: ModelTask | undefined;
  nextAttempt = 1;
  closeAttempted = false;
  cancelRequested = false;
  waitsForParent: boolean;
  everScheduled = false;
  signalRequestIds = new Set<string>();
  activities = new Map<number, ModelActivity>();
  timers = new Map<string, { readonly started: number; readonly due: number }>();
  children = new Map<number, ModelChild>();
  /** Initiated event ids of messages without an outcome. */
  outgoing = new Set<number>();

  constructor(workflow: number, settings: RunSettings, now: number, waitsForParent = false) {
    this.workflow = workflow;
    this.settings = settings;
    this.startedAt = now;
    this.waitsForParent = waitsForParent;
    this.write('WorkflowExecutionStarted', { attempt: settings.attempt });
  }

  get open(): boolean {
    return this.status === 'RUNNING';
  }

  /** MS-2: the run's own time, capped by the execution's. */
  get expiresAt(): number {
    const { runTimeoutMs, expiresAt } = this.settings;
    const own = runTimeoutMs > 0 ? this.executionTime + runTimeoutMs : Infinity;
    return Math.min(own, expiresAt || Infinity);
  }

  get executionTime(): number {
    return this.startedAt + this.settings.backoffMs;
  }

  /** The id of the event, or 0 for one that waits in the buffer. */
  write(type: string, fields: Omit<ModelEvent, 'type'> = {}, ofCommand = false): number {
    const event = { type, ...fields };
    const started = this.task !== undefined && this.task.started > 0;
    if (started && !ofCommand && !neverBuffered.test(type)) {
      this.buffer.push(event);
      return 0;
    }
    return this.append(event);
  }

  append(event: ModelEvent): number {
    const { startedOf, ...fields } = event;
    this.events.push(startedOf ? { ...fields, startedEventId: this.startOf(startedOf) } : fields);
    const id = this.events.length;
    if (event.type === 'ChildWorkflowExecutionStarted') {
      const child = this.children.get(Number(event['initiatedEventId']));
      if (child) child.started = id;
    }
    return id;
  }

  /** The id of the last event that started that activity or child. */
  startOf(key: string): number {
    const [type = '', field = '', id = ''] = key.split(' ');
    return (
      1 + this.events.findLastIndex((event) => event.type === type && event[field] === Number(id))
    );
  }

  flush(): void {
    const waiting = this.buffer;
    this.buffer = [];
    for (const event of waiting) if (!closes.test(event.type)) this.append(event);
    for (const event of waiting) if (closes.test(event.type)) this.append(event);
  }

  /** WT-1, WT-3, WT-4. */
  scheduleTask(now: number, beforeFirst = false): void {
    if (this.task || !this.open) return;
    const waits = !this.everScheduled && (this.waitsForParent || now < this.executionTime);
    if (waits && !beforeFirst) return;
    if (this.buffer.length > 0) {
      this.flush();
      this.nextAttempt = 1;
    }
    this.everScheduled = true;
    const attempt = this.nextAttempt;
    const scheduled =
      attempt === 1
        ? this.append({ type: 'WorkflowTaskScheduled', attempt })
        : this.events.length + 1;
    this.task = { scheduled, started: 0, attempt, startedAt: 0 };
  }

  /** WT-9: an attempt that was not written becomes a first one when something was written since. */
  startTask(now: number): void {
    let task = this.task;
    if (!task) return;
    if (task.attempt > 1 && task.scheduled !== this.events.length + 1) {
      this.nextAttempt = 1;
      const scheduled = this.append({ type: 'WorkflowTaskScheduled', attempt: 1 });
      task = { scheduled, started: 0, attempt: 1, startedAt: 0 };
      this.task = task;
    }
    task.started =
      task.attempt === 1
        ? this.append({ type: 'WorkflowTaskStarted', scheduledEventId: task.scheduled })
        : task.scheduled + 1;
    task.startedAt = now;
  }

  /** WT-19, WT-28 without stickiness: written at the first attempt only. */
  endFailedTask(type: 'WorkflowTaskFailed' | 'WorkflowTaskTimedOut', fields: object): void {
    const { task } = this;
    if (!task) return;
    if (task.attempt === 1) {
      this.append({
        type,
        scheduledEventId: task.scheduled,
        startedEventId: task.started,
        ...fields,
      });
    }
    this.task = undefined;
    this.closeAttempted = false;
    this.nextAttempt = task.attempt + 1;
  }

  activityById(activityId: string): ModelActivity | undefined {
    return [...this.activities.values()].find((activity) => activity.activityId === activityId);
  }

  /** AC-2: the start is written with the close. */
  closeActivity(activity: ModelActivity, type: string, fields: object, now: number): void {
    const { scheduled, attempt } = activity;
    this.activities.delete(scheduled);
    const start = { scheduledEventId: scheduled, attempt };
    if (activity.startedAt !== undefined) this.write('ActivityTaskStarted', start);
    this.write(type, {
      scheduledEventId: scheduled,
      ...(activity.startedAt !== undefined && {
        startedOf: `ActivityTaskStarted scheduledEventId ${scheduled}`,
      }),
      ...fields,
    });
    this.scheduleTask(now);
  }

  /** AC-6, AC-7, AC-8: undefined when another attempt follows. */
  retryActivity(activity: ModelActivity, failure: ModelFailure, now: number): string | undefined {
    if (activity.cancelRequested > 0) return 'RETRY_STATE_CANCEL_REQUESTED';
    const expiresAt =
      activity.scheduleToClose > 0 ? activity.firstScheduledAt + activity.scheduleToClose : 0;
    const answer = backoff(activity.retry, activity.attempt, failure, now, expiresAt);
    if (typeof answer === 'string') return answer;
    activity.attempt += 1;
    activity.startedAt = undefined;
    activity.scheduledAt = now + answer;
    return undefined;
  }

  /** Everything that a refused completion must leave as it was. */
  snapshot(): () => void {
    const { events, buffer, task, nextAttempt, closeAttempted, status } = this;
    const kept = {
      events: [...events],
      buffer: [...buffer],
      task: task && { ...task },
      nextAttempt,
      closeAttempted,
      status,
      activities: new Map([...this.activities].map(([id, activity]) => [id, { ...activity }])),
      timers: new Map(this.timers),
      children: new Map(this.children),
      outgoing: new Set(this.outgoing),
    };
    return () => Object.assign(this, kept);
  }
}

export interface ModelFailure {
  readonly type: string;
  readonly nonRetryable?: boolean;
  readonly nextRetryDelayMs?: number;
}

export function backoff(
  retry: RetryOptions,
  attempt: number,
  failure: ModelFailure,
  now: number,
  expiresAt: number,
): number | string {
  if (failure.nonRetryable || retry.nonRetryable?.includes(failure.type)) {
    return 'RETRY_STATE_NON_RETRYABLE_FAILURE';
  }
  if (retry.attempts > 0 && attempt >= retry.attempts) {
    return 'RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED';
  }
  const initialMs = retry.intervalSeconds * 1_000;
  const maximumMs = (retry.maximumSeconds ?? 0) * 1_000 || 100 * initialMs;
  const policyMs = Math.min(initialMs * (retry.coefficient ?? 2) ** (attempt - 1), maximumMs);
  const ms = failure.nextRetryDelayMs ?? policyMs;
  return expiresAt > 0 && now + ms > expiresAt ? 'RETRY_STATE_TIMEOUT' : ms;
}

/** Table EV, last row. */
export function endStartedTask(run: ModelRun): void {
  if (!run.task || run.task.started === 0) return;
  const cause = 'WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND';
  run.endFailedTask('WorkflowTaskFailed', { cause });
  run.flush();
}
